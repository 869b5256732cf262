#include "event_hub.hpp"

#include <algorithm>
#include <vector>

#include <jiaozi/api/event_json.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/registry/events.hpp>

namespace jiaozi::http {
namespace {

constexpr std::uint32_t batch = 500;
constexpr std::size_t queue_max = std::size_t{1024} * 1024;  // a client that leaves more unread is no longer level
constexpr Duration heartbeat_every = seconds(15);

std::string frame(const Event& event) {
    std::string text = "id: ";
    text += std::to_string(event.position);
    text += "\nevent: ";
    text += event.type;
    text += "\ndata: ";
    text += api::event_json(event);  // one line: JSON text as we write it has no line breaks
    text += "\n\n";
    return text;
}

}  // namespace

EventHub::~EventHub() {
    close();
}

void EventHub::close() {
    closed_ = true;
    alive_.reset();
    if (heartbeat_ != 0) app_->cancel(std::exchange(heartbeat_, 0));
    for (const auto& follower : followers_) follower->stream->close();
    followers_.clear();
}

void EventHub::stored_up_to(std::uint64_t position) {
    std::uint64_t known = stored_.load(std::memory_order_relaxed);
    while (known < position && !stored_.compare_exchange_weak(known, position)) {
    }
    // One post for however many announcements come before it runs.
    if (!scheduled_.exchange(true)) {
        app_->post([weak = weak_] {
            if (const auto self = weak.lock()) (*self)->pump();
        });
    }
}

void EventHub::add(std::shared_ptr<Stream> stream, std::optional<std::uint64_t> after, std::string pattern) {
    auto follower = std::make_shared<Follower>();
    follower->stream = std::move(stream);
    follower->pattern = std::move(pattern);
    std::weak_ptr<Follower> weak = follower;
    follower->stream->on_closed([weak_hub = weak_] {
        if (const auto hub = weak_hub.lock()) {
            (*hub)->app_->post([weak_hub] {
                if (const auto still = weak_hub.lock()) (*still)->remove_closed();
            });
        }
    });
    follower->stream->on_drained([weak, weak_hub = weak_] {
        const auto hub = weak_hub.lock();
        const auto strong = weak.lock();
        if (hub && strong && !strong->level) (*hub)->catch_up(weak);
    });
    follower->stream->write(std::make_shared<const std::string>(": welcome\nretry: 1000\n\n"));
    followers_.push_back(follower);
    if (heartbeat_ == 0) heartbeat();
    if (after) {
        follower->position = *after;
        catch_up(weak);
        return;
    }
    // From now on: what is stored when its place in the table has been looked up.
    follower->reading = true;
    reads_->run<std::uint64_t>([](registry::Session& session) { return registry::newest_event_position(session); },
                               [weak, weak_hub = weak_](Result<std::uint64_t> newest) {
                                   const auto hub = weak_hub.lock();
                                   const auto strong = weak.lock();
                                   if (!hub || !strong) return;
                                   strong->reading = false;
                                   if (!newest.ok()) {
                                       strong->stream->close();
                                       (*hub)->remove_closed();
                                       return;
                                   }
                                   strong->position = *newest;
                                   (*hub)->catch_up(weak);
                               });
}

// Reads what is new and hands it to the level streams.
void EventHub::pump() {
    scheduled_ = false;
    if (closed_ || reading_ || stored_.load() <= read_) return;
    const bool anybody =
        std::any_of(followers_.begin(), followers_.end(), [](const auto& follower) { return follower->level; });
    if (!anybody) return;
    reading_ = true;
    reads_->run<std::vector<Event>>(
        [from = read_](registry::Session& session) { return registry::events_after(session, from, batch); },
        [weak = weak_](Result<std::vector<Event>> events) {
            const auto self = weak.lock();
            if (!self) return;
            EventHub& hub = **self;
            hub.reading_ = false;
            if (!events.ok()) {
                log::warn("event stream: cannot read events", {{"error", events.error().to_string()}});
                return;
            }
            hub.deliver(*events);
            if (!events->empty()) hub.pump();
        });
}

void EventHub::deliver(const std::vector<Event>& events) {
    if (events.empty()) return;
    for (const Event& event : events) {
        std::shared_ptr<const std::string> text;
        for (const auto& follower : followers_) {
            if (!follower->level || follower->position >= event.position) continue;
            if (follower->stream->queued_bytes() > queue_max) {
                follower->level = false;  // goes on from its own position when its queue has run empty
                continue;
            }
            follower->position = event.position;
            if (!api::event_type_matches(follower->pattern, event.type)) continue;
            if (!text) text = std::make_shared<const std::string>(frame(event));
            follower->stream->write(text);
        }
    }
    read_ = events.back().position;
}

// One batch from the follower's own position; it becomes level when the table has no more.
void EventHub::catch_up(const std::weak_ptr<Follower>& weak) {
    const auto follower = weak.lock();
    if (!follower || follower->reading || follower->level || closed_) return;
    follower->reading = true;
    reads_->run<std::vector<Event>>(
        [from = follower->position](registry::Session& session) {
            return registry::events_after(session, from, batch);
        },
        [weak, weak_hub = weak_](Result<std::vector<Event>> events) {
            const auto hub = weak_hub.lock();
            const auto strong = weak.lock();
            if (!hub || !strong || !strong->stream->open()) return;
            strong->reading = false;
            if (!events.ok()) {
                strong->stream->close();  // the client comes back with the last id it saw
                (*hub)->remove_closed();
                return;
            }
            auto text = std::make_shared<std::string>();
            for (const Event& event : *events) {
                strong->position = event.position;
                if (api::event_type_matches(strong->pattern, event.type)) *text += frame(event);
            }
            const bool wrote = !text->empty();
            if (events->size() < batch) (*hub)->try_to_level(*strong);
            if (wrote) strong->stream->write(std::move(text));
            if (strong->level) {
                (*hub)->pump();
            } else if (!wrote) {
                (*hub)->catch_up(weak);  // nothing to wait for; else the drained queue asks for more
            }
        });
}

// The follower has all that the table had. It is level if nothing was handed out meanwhile that it lacks.
void EventHub::try_to_level(Follower& follower) {
    const bool alone =
        std::none_of(followers_.begin(), followers_.end(), [](const auto& other) { return other->level; });
    if (alone && !reading_) read_ = follower.position;
    follower.level = follower.position >= read_;
}

void EventHub::heartbeat() {
    heartbeat_ = app_->call_after(heartbeat_every, [this, weak = weak_] {
        if (weak.expired()) return;
        heartbeat_ = 0;
        remove_closed();
        static const auto beat = std::make_shared<const std::string>(": still here\n\n");
        for (const auto& follower : followers_) {
            if (follower->stream->queued_bytes() == 0) follower->stream->write(beat);
        }
        if (!followers_.empty()) heartbeat();
    });
}

void EventHub::remove_closed() {
    followers_.remove_if([](const auto& follower) { return !follower->stream->open(); });
}

}  // namespace jiaozi::http
