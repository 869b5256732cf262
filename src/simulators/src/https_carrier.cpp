#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

#include <jiaozi/client/http_client.hpp>
#include <jiaozi/device/client.hpp>

#include "carrier.hpp"

namespace jiaozi::simulators {
namespace {

constexpr std::size_t max_waiting = 256;  // envelopes; the oldest is lost first

// The code in an application/problem+json body: a token of the protocol's closed list, so no JSON parser is needed to
// find which one it is.
protocol::RefusalCode refusal_in(std::string_view problem) {
    for (const protocol::RefusalCode code : protocol::all_refusal_codes) {
        if (problem.find('"' + std::string(name_of(code)) + '"') != std::string_view::npos) return code;
    }
    return protocol::RefusalCode::malformed;
}

class HttpsCarrier final : public Carrier {
  public:
    HttpsCarrier(boost::asio::io_context& io, client::HttpClient client, CarrierEvents events)
        : io_(io),
          events_(std::make_shared<CarrierEvents>(std::move(events))),
          client_(std::move(client)),
          thread_([this] { run(); }) {
        tell([](const CarrierEvents& to) { to.connected(); });
    }

    ~HttpsCarrier() override {
        {
            const std::scoped_lock lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }

    void send(ByteView envelope) override {
        {
            const std::scoped_lock lock(mutex_);
            if (waiting_.size() == max_waiting) waiting_.pop_front();
            waiting_.emplace_back(as_text(envelope));
        }
        wake_.notify_one();
    }

  private:
    void run() {
        while (true) {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            if (stopping_) return;
            std::string envelope = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            post(std::move(envelope));
        }
    }

    void post(std::string envelope) {
        client::Request request;
        request.method = "POST";
        request.path = "/device/v1/messages";
        request.content_type = "application/cose";
        request.body = std::move(envelope);
        auto response = client_.send(request);
        if (!response.ok()) {
            if (std::exchange(reached_, false))
                tell([why = response.error().message()](const CarrierEvents& to) { to.disconnected(why); });
            return;
        }
        if (!std::exchange(reached_, true)) tell([](const CarrierEvents& to) { to.connected(); });
        if (response->status != 200) {
            tell([code = refusal_in(response->body)](const CarrierEvents& to) { to.refused(code); });
            return;
        }
        tell([body = std::move(response->body)](const CarrierEvents& to) {
            const auto envelopes = device::split_envelopes(as_bytes(body));
            if (!envelopes.ok()) return;  // as good as lost: it is sent again
            for (const ByteView each : *envelopes) to.received(each);
        });
    }

    template <class Event>
    void tell(Event event) {
        boost::asio::post(io_, [to = std::weak_ptr(events_), event = std::move(event)] {
            if (const auto alive = to.lock()) event(*alive);
        });
    }

    boost::asio::io_context& io_;
    std::shared_ptr<CarrierEvents> events_;
    client::HttpClient client_;  // the thread's
    bool reached_ = true;        // the thread's
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;            // mutex_
    std::deque<std::string> waiting_;  // mutex_
    std::thread thread_;               // last: the others are ready when it runs
};

}  // namespace

Result<std::unique_ptr<Carrier>> make_https_carrier(boost::asio::io_context& io, const std::string& url,
                                                    CarrierEvents events) {
    JZ_TRY(auto client, client::HttpClient::create({.base_url = url, .key = {}, .timeout = seconds(10)}));
    return std::unique_ptr<Carrier>(std::make_unique<HttpsCarrier>(io, std::move(client), std::move(events)));
}

}  // namespace jiaozi::simulators
