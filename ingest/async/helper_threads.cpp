#include "ingest/async/helper_threads.hpp"

#include <boost/asio/post.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace clerk_strapi::ingest
{

struct helper_threads::shared
{
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<job> waiting;
    bool stopping{false};
    std::size_t running{0}; // threads that have not ended
    boost::asio::io_context* io{nullptr}; // null after the owner is destroyed
    std::weak_ptr<bool> alive;
    std::vector<std::thread> threads;

    void run(std::size_t thread)
    {
        std::unique_lock lock{mutex};
        for (;;) {
            changed.wait(lock, [this] { return stopping || !waiting.empty(); });
            if (stopping) break;
            auto next = std::move(waiting.front());
            waiting.pop_front();
            lock.unlock();
            auto then = next(thread);
            next = {};
            lock.lock();
            if (io == nullptr) break;
            boost::asio::post(*io, [owner = alive, then = std::move(then)] {
                if (owner.lock() && then) then();
            });
        }
        --running;
        changed.notify_all();
    }
};

helper_threads::helper_threads(boost::asio::io_context& io, bounds limits)
    : shared_{std::make_shared<shared>()}
    , limits_{limits}
{
    shared_->io = &io;
    shared_->alive = alive_;
    shared_->running = limits.threads;
    for (std::size_t i = 0; i < limits.threads; ++i)
        shared_->threads.emplace_back([state = shared_, i] { state->run(i); });
}

helper_threads::~helper_threads()
{
    std::vector<std::thread> threads;
    std::deque<job> abandoned;
    {
        std::lock_guard const lock{shared_->mutex};
        shared_->stopping = true;
        shared_->io = nullptr;
        threads.swap(shared_->threads);
        abandoned.swap(shared_->waiting);
    }
    shared_->changed.notify_all();
    std::unique_lock lock{shared_->mutex};
    bool const ended = shared_->changed.wait_for(lock, limits_.stop_time, [this] { return shared_->running == 0; });
    lock.unlock();
    for (auto& each : threads)
        ended ? each.join() : each.detach();
}

bool helper_threads::run(job next)
{
    {
        std::lock_guard const lock{shared_->mutex};
        if (shared_->waiting.size() >= limits_.waiting_max) return false;
        shared_->waiting.push_back(std::move(next));
    }
    shared_->changed.notify_one();
    return true;
}

}
