#include "tests/support/ingest/running_ingest.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

namespace clerk_strapi::tests
{
namespace
{

ingest::config settings_for(std::string const& brokers)
{
    ingest::config settings;
    settings.listen = {"127.0.0.1", 0};
    settings.admin_listen = {"127.0.0.1", 0};
    settings.webhook_secrets = secret{std::string{secret_text}};
    settings.kafka = {brokers, "ingest-test", {{"log_level", "0"}, {"reconnect.backoff.max.ms", "300"}}};
    settings.user_events_topic = events;
    settings.provisioning_topic = "clerk.user-provisioning";
    settings.dead_letters_topic = dead_letters;
    return settings;
}

}

running_ingest::running_ingest(std::string const& brokers, std::function<void(ingest::config&)> const& change)
    : stop_descriptor_{::eventfd(0, EFD_CLOEXEC)}
{
    auto settings = settings_for(brokers);
    if (change) change(settings);
    service_ = std::make_unique<ingest::service>(std::move(settings));
    thread_ = std::thread{[this] {
        service_->run(stop_descriptor_);
        ended_.set_value();
    }};
}

running_ingest::~running_ingest()
{
    service_->halt();
    thread_.join();
    service_.reset();
    ::close(stop_descriptor_);
}

answer running_ingest::call(
    std::string_view method, std::string_view target, header_list const& headers, std::string_view body)
{
    raw_client client{port()};
    client.send(request_text(method, target, headers, body));
    return client.read_answer(std::chrono::seconds{15}, method == "HEAD").value_or(answer{});
}

answer running_ingest::deliver(std::string const& id, std::string const& body)
{
    return call("POST", "/webhooks/clerk", signed_headers(id, body), body);
}

answer running_ingest::admin(std::string_view target, std::string_view method)
{
    raw_client client{admin_port()};
    client.send(request_text(method, target, {}, {}));
    return client.read_answer().value_or(answer{});
}

double running_ingest::metric(std::string const& series)
{
    auto const page = "\n" + admin("/metrics").body;
    auto const at = page.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(page.substr(at + series.size() + 2));
}

double running_ingest::webhooks(std::string const& outcome, std::string const& type)
{
    return metric("clerk_ingest_webhooks_total{outcome=\"" + outcome + "\",type=\"" + type + "\"}");
}

void running_ingest::ask_to_stop()
{
    std::uint64_t const one = 1;
    static_cast<void>(!::write(stop_descriptor_, &one, sizeof one));
}

bool running_ingest::stopped_within(std::chrono::milliseconds time)
{
    return end_.wait_for(time) == std::future_status::ready;
}

std::size_t everything(mock_kafka const& kafka)
{
    return kafka.records(events).size() + kafka.records(dead_letters).size();
}

shared_ingest& shared_ingest::get()
{
    static shared_ingest one;
    return one;
}

}
