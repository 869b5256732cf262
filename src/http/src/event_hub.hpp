// Server-sent events (WHATWG HTML, 9.2): one reader of the event table, any number of streams.
//
// Each stream has its own position. One that is behind (it came back with Last-Event-ID, or its client reads slowly)
// catches up from the table by itself; one that is level gets each new event as it is read, serialised once for all.
// Application thread, but for stored_up_to().
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/api/events.hpp>
#include <jiaozi/http/message.hpp>
#include <jiaozi/http/read_pool.hpp>

namespace jiaozi::http {

class EventHub final : public api::EventSignal {
  public:
    EventHub(api::AppThread& app, ReadPool& reads)
        : app_(&app), reads_(&reads), alive_(std::make_shared<EventHub*>(this)), weak_(alive_) {}
    ~EventHub() override;
    EventHub(const EventHub&) = delete;
    EventHub& operator=(const EventHub&) = delete;

    void stored_up_to(std::uint64_t position) override;
    // `after`: the position to go on from; none: from now on. `pattern`: event_type_matches.
    void add(std::shared_ptr<Stream> stream, std::optional<std::uint64_t> after, std::string pattern);
    std::size_t streams() const noexcept { return followers_.size(); }
    // Ends every stream: the program stops.
    void close();

  private:
    struct Follower {
        std::shared_ptr<Stream> stream;
        std::uint64_t position = 0;
        std::string pattern;
        bool level = false;    // gets new events as they are read; else it is catching up
        bool reading = false;  // its own read is under way
    };

    void pump();
    void deliver(const std::vector<Event>& events);
    void catch_up(const std::weak_ptr<Follower>& follower);
    void try_to_level(Follower& follower);
    void heartbeat();
    void remove_closed();

    api::AppThread* app_;
    ReadPool* reads_;
    std::shared_ptr<EventHub*> alive_;     // ends with close(); completions hold it weakly
    const std::weak_ptr<EventHub*> weak_;  // never changes, so any thread may copy it
    std::list<std::shared_ptr<Follower>> followers_;
    std::atomic<std::uint64_t> stored_{0};  // newest position announced
    std::atomic<bool> scheduled_{false};    // a pump is posted
    std::uint64_t read_ = 0;                // level streams have everything up to here
    bool reading_ = false;
    bool closed_ = false;
    api::AppThread::TimerId heartbeat_ = 0;
};

}  // namespace jiaozi::http
