#include "tests/support/ingest/running_io.hpp"

namespace clerk_strapi::tests
{

running_io::running_io()
    : thread_{[this] { context.run(); }}
{
}

void running_io::stop()
{
    context.stop();
    if (thread_.joinable()) thread_.join();
}

}
