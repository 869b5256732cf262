#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jiaozi/api/event_json.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/registry/events.hpp>
#include <jiaozi/registry/payments.hpp>
#include <jiaozi/registry/webhooks.hpp>
#include <jiaozi/webhooks/sender.hpp>
#include <jiaozi/webhooks/signature.hpp>

#include "private_address.hpp"

namespace jiaozi::webhooks {
namespace {

constexpr std::string_view projection = "webhooks";
constexpr std::uint32_t batch = 500;
constexpr int poll_ms = 1000;                  // how soon a moved clock is noticed
constexpr Duration put_off = seconds(2);       // what did not fit into its endpoint's queue
constexpr Duration claimed_for = seconds(30);  // after a crash a claimed delivery is due again
constexpr Duration give_up_after = seconds(3 * 24 * 60 * 60);
constexpr std::size_t response_kept = 512;

bool wants(const WebhookEndpoint& endpoint, const Event& event) {
    if (event.created < endpoint.created) return false;
    for (const std::string& pattern : endpoint.events) {
        if (api::event_type_matches(pattern, event.type)) return true;
    }
    return false;
}

// One POST under way.
struct Attempt {
    WebhookDelivery delivery;
    std::string url;
    std::string body;
    std::string response;
    char error[CURL_ERROR_SIZE] = {};
    CURL* easy = nullptr;
    curl_slist* headers = nullptr;

    Attempt() = default;
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt() {
        curl_easy_cleanup(easy);
        curl_slist_free_all(headers);
    }
};

std::size_t keep_response(char* bytes, std::size_t size, std::size_t count, void* user) {
    auto& response = static_cast<Attempt*>(user)->response;
    if (response.size() < response_kept)
        response.append(bytes, std::min(size * count, response_kept - response.size()));
    return size * count;
}

curl_socket_t open_public_socket(void*, curlsocktype, curl_sockaddr* address) {
    if (!is_public_address(&address->addr, address->addrlen)) return CURL_SOCKET_BAD;
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace

std::optional<Timestamp> next_attempt(std::uint32_t attempt, Timestamp created, Timestamp now) {
    const Timestamp next = now + (attempt <= 1   ? seconds(10)
                                  : attempt == 2 ? seconds(60)
                                  : attempt <= 8 ? seconds(600)
                                                 : seconds(3600));
    if (next > created + give_up_after) return std::nullopt;
    return next;
}

class Sender::Impl {
  public:
    Impl(const Clock& clock, SenderOptions options) : clock_(clock), options_(options) {}
    ~Impl() {
        if (thread_.joinable()) {
            stop_ = true;
            curl_multi_wakeup(multi_);
            thread_.join();
        }
        for (auto& [easy, attempt] : running_) curl_multi_remove_handle(multi_, easy);
        running_.clear();
        if (multi_ != nullptr) curl_multi_cleanup(multi_);
    }

    Result<> start(registry::Store& store) {
        static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
        if (ready != CURLE_OK) return Error(ErrorKind::internal, "libcurl does not start");
        JZ_TRY(session_, store.session(registry::Durability::projection));
        JZ_TRY(position_, registry::projection_sequence(*session_, projection));
        stored_position_ = position_;
        multi_ = curl_multi_init();
        if (multi_ == nullptr) return Error(ErrorKind::internal, "libcurl is out of memory");
        thread_ = std::thread([this] { loop(); });
        return {};
    }

    void wake() {
        // One wake-up is enough until the thread has looked: this is called for every batch of events.
        if (!woken_.exchange(true)) curl_multi_wakeup(multi_);
    }

    SenderCounters counters() const {
        const std::lock_guard lock(mutex_);
        return counters_;
    }

  private:
    struct Queue {
        std::deque<WebhookDelivery> waiting;
        std::size_t running = 0;
    };

    void loop() {
        auto look_again = std::chrono::steady_clock::time_point::min();
        while (!stop_) {
            const auto now = std::chrono::steady_clock::now();
            if (woken_.exchange(false) || now >= look_again) {
                look_again = now + std::chrono::milliseconds(poll_ms);
                if (const auto looked = look(); !looked.ok()) {
                    log::warn("webhooks: cannot read what is due", {{"error", looked.error().to_string()}});
                }
            }
            start_attempts();
            int active = 0;
            curl_multi_perform(multi_, &active);
            // An attempt that ended makes room for the next.
            if (!collect()) curl_multi_poll(multi_, nullptr, 0, poll_ms, nullptr);
        }
        ignore_error(store_position(), "the events are fanned out again, which changes nothing");
    }

    Result<> look() {
        while (!stop_) {
            JZ_TRY(const bool more, fan_out());
            if (!more) break;
        }
        return claim_due();
    }

    // One batch of events. The events are read before the endpoints: an endpoint that is missing from the list was then
    // created after every event of the batch.
    Result<bool> fan_out() {
        JZ_TRY(const std::uint64_t newest, registry::newest_event_position(*session_));
        JZ_TRY(const bool any, load_endpoints());
        if (!any) {
            position_ = newest;
            JZ_CHECK(store_position_sometimes());
            return false;
        }
        JZ_TRY(const auto events, registry::events_after(*session_, position_, batch));
        if (events.empty()) return false;
        JZ_CHECK(load_endpoints());
        std::vector<WebhookDelivery> deliveries;
        const Timestamp now = clock_.now();
        for (const Event& event : events) {
            for (const auto& [id, endpoint] : endpoints_) {
                if (!endpoint.enabled || !wants(endpoint, event)) continue;
                WebhookDelivery delivery;
                delivery.id = crypto::new_id<DeliveryId>(clock_);
                delivery.endpoint = id;
                delivery.event = event.id;
                delivery.next_attempt = delivery.created = delivery.updated = now;
                deliveries.push_back(std::move(delivery));
            }
        }
        std::uint64_t added = 0;
        const std::uint64_t reached = events.back().position;
        JZ_CHECK(session_->in_transaction([&]() -> Result<> {
            JZ_TRY(added, registry::insert_many(*session_, deliveries));
            return registry::set_projection_sequence(*session_, projection, reached);
        }));
        position_ = stored_position_ = reached;
        const std::lock_guard lock(mutex_);
        counters_.fanned_out += added;
        return events.size() == batch;
    }

    // Without endpoints there is nothing to keep exact: write the position now and then only.
    Result<> store_position_sometimes() {
        if (position_ < stored_position_ + 10'000) return {};
        return store_position();
    }
    Result<> store_position() {
        if (position_ == stored_position_) return {};
        JZ_CHECK(registry::set_projection_sequence(*session_, projection, position_));
        stored_position_ = position_;
        return {};
    }

    Result<bool> load_endpoints() {
        JZ_TRY(auto all, registry::all_webhook_endpoints(*session_));
        endpoints_.clear();
        for (WebhookEndpoint& endpoint : all) {
            const EndpointId id = endpoint.id;
            endpoints_.emplace(id, std::move(endpoint));
        }
        return !endpoints_.empty();
    }

    Result<> claim_due() {
        while (!stop_) {
            const Timestamp now = clock_.now();
            JZ_TRY(auto due, registry::due_webhook_deliveries(*session_, now, batch));
            if (due.empty()) return {};
            const auto claim = [&]() -> Result<> {
                for (WebhookDelivery delivery : due) {
                    const bool fits = claimed_.contains(delivery.id) ||
                                      queues_[delivery.endpoint].waiting.size() < options_.queue_per_endpoint;
                    delivery.next_attempt = now + (fits ? claimed_for : put_off);
                    JZ_CHECK(registry::update(*session_, delivery));
                }
                return {};
            };
            JZ_CHECK(session_->in_transaction(claim));
            for (WebhookDelivery& delivery : due) {
                Queue& queue = queues_[delivery.endpoint];
                if (queue.waiting.size() >= options_.queue_per_endpoint || !claimed_.insert(delivery.id).second)
                    continue;
                queue.waiting.push_back(std::move(delivery));
            }
            if (due.size() < batch) return {};
        }
        return {};
    }

    void start_attempts() {
        for (auto& [id, queue] : queues_) {
            while (!queue.waiting.empty() && queue.running < options_.per_endpoint &&
                   running_.size() < options_.at_once) {
                WebhookDelivery delivery = std::move(queue.waiting.front());
                queue.waiting.pop_front();
                const DeliveryId delivery_id = delivery.id;
                if (start_attempt(std::move(delivery))) {
                    ++queue.running;
                } else {
                    claimed_.erase(delivery_id);
                }
            }
        }
    }

    // False: the endpoint is gone or disabled, or the event cannot be read; the delivery stays as it is stored.
    bool start_attempt(WebhookDelivery delivery) {
        const auto endpoint = endpoints_.find(delivery.endpoint);
        if (endpoint == endpoints_.end() || !endpoint->second.enabled) return false;
        const auto event = registry::get_event(*session_, delivery.event);
        if (!event.ok()) {
            log::warn("webhooks: cannot read an event",
                      {{"event", delivery.event.to_string()}, {"error", event.error().to_string()}});
            return false;
        }
        auto attempt = std::make_unique<Attempt>();
        attempt->delivery = std::move(delivery);
        attempt->url = endpoint->second.url;
        attempt->body = api::event_json(*event);
        const Timestamp now = clock_.now();
        const std::string signature =
            signature_header(secrets_in_force(endpoint->second.secret, now), now, attempt->body);
        attempt->headers = curl_slist_append(nullptr, "Content-Type: application/json");
        attempt->headers =
            curl_slist_append(attempt->headers, (std::string(signature_header_name) + ": " + signature).c_str());
        attempt->headers = curl_slist_append(attempt->headers, "Expect:");
        attempt->easy = curl_easy_init();
        if (attempt->easy == nullptr) return false;
        configure(*attempt);
        CURL* easy = attempt->easy;
        running_.emplace(easy, std::move(attempt));
        curl_multi_add_handle(multi_, easy);
        return true;
    }

    void configure(Attempt& attempt) {
        CURL* easy = attempt.easy;
        curl_easy_setopt(easy, CURLOPT_URL, attempt.url.c_str());
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, attempt.body.c_str());
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(attempt.body.size()));
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, attempt.headers);
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "Jiaozi-Webhooks/1");
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.ms()));
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_response);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &attempt);
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, attempt.error);
        if (!options_.allow_private) curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_public_socket);
    }

    // False: no attempt has ended.
    bool collect() {
        std::vector<WebhookDelivery> finished;
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            CURL* easy = message->easy_handle;
            const CURLcode code = message->data.result;
            curl_multi_remove_handle(multi_, easy);
            const auto at = running_.find(easy);
            finished.push_back(settle(*at->second, code));
            running_.erase(at);
        }
        if (finished.empty()) return false;
        const auto stored = session_->in_transaction([&]() -> Result<> {
            for (const WebhookDelivery& delivery : finished) {
                const auto updated = registry::update(*session_, delivery);
                // Removed together with its endpoint while the attempt ran.
                if (!updated.ok() && updated.error().kind() != ErrorKind::not_found) return Error(updated.error());
            }
            return {};
        });
        if (!stored.ok())
            log::warn("webhooks: cannot store attempts; they will be made again",
                      {{"error", stored.error().to_string()}});
        for (const WebhookDelivery& delivery : finished) {
            claimed_.erase(delivery.id);
            --queues_[delivery.endpoint].running;
        }
        std::erase_if(queues_,
                      [](const auto& item) { return item.second.waiting.empty() && item.second.running == 0; });
        return true;
    }

    WebhookDelivery settle(Attempt& attempt, CURLcode code) {
        WebhookDelivery delivery = std::move(attempt.delivery);
        const Timestamp now = clock_.now();
        long status = 0;
        curl_easy_getinfo(attempt.easy, CURLINFO_RESPONSE_CODE, &status);
        ++delivery.attempt;
        delivery.updated = now;
        if (code == CURLE_OK) {
            delivery.status = static_cast<std::int32_t>(status);
            delivery.response = std::move(attempt.response);
        } else {
            delivery.status = -1;
            delivery.response = attempt.error[0] != '\0' ? attempt.error : curl_easy_strerror(code);
        }
        const bool delivered = code == CURLE_OK && status >= 200 && status < 300;
        const auto again = delivered ? std::nullopt : next_attempt(delivery.attempt, delivery.created, now);
        delivery.done = !again;
        delivery.next_attempt = again.value_or(Timestamp{});
        const std::lock_guard lock(mutex_);
        if (delivered) {
            ++counters_.delivered;
        } else {
            ++counters_.failed;
            if (!again) ++counters_.given_up;
        }
        return delivery;
    }

    const Clock& clock_;
    const SenderOptions options_;
    CURLM* multi_ = nullptr;
    std::atomic<bool> stop_ = false;
    std::atomic<bool> woken_ = false;
    mutable std::mutex mutex_;
    SenderCounters counters_;  // guarded by mutex_

    // The sender's thread only.
    std::unique_ptr<registry::Session> session_;
    std::uint64_t position_ = 0;
    std::uint64_t stored_position_ = 0;
    std::unordered_map<EndpointId, WebhookEndpoint> endpoints_;
    std::unordered_map<EndpointId, Queue> queues_;
    std::unordered_set<DeliveryId> claimed_;  // in a queue or under way
    std::unordered_map<CURL*, std::unique_ptr<Attempt>> running_;
    std::thread thread_;
};

Sender::Sender(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sender::~Sender() = default;

Result<std::unique_ptr<Sender>> Sender::start(registry::Store& store, const Clock& clock, SenderOptions options) {
    auto impl = std::make_unique<Impl>(clock, options);
    JZ_CHECK(impl->start(store));
    return std::unique_ptr<Sender>(new Sender(std::move(impl)));
}

void Sender::stored_up_to(std::uint64_t) {
    impl_->wake();
}

void Sender::wake() {
    impl_->wake();
}

SenderCounters Sender::counters() const {
    return impl_->counters();
}

}  // namespace jiaozi::webhooks
