#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include <jiaozi/anchor/contract.hpp>
#include <jiaozi/anchor/places.hpp>
#include <jiaozi/anchor/publisher.hpp>
#include <jiaozi/base/log.hpp>

#include "url.hpp"

namespace jiaozi::anchor {
namespace {

constexpr Duration request_timeout = seconds(30);
constexpr std::chrono::seconds first_pause{5};  // after a failure; then twice as long each time

// Where checkpoints go.
struct Target {
    std::string text;             // a file or a URL
    std::optional<EvmPlace> evm;  // or a contract's list
    bool is_url = false;
    std::string name;
};

Result<Target> parse_target(const std::string& text, const std::string& rpc) {
    Target target;
    if (EvmPlace::looks_like(text)) {
        JZ_TRY(target.evm, EvmPlace::parse(text));
        target.name = target.evm->to_string();
        if (target.evm->rpc.empty()) target.evm->rpc = rpc;
        JZ_CHECK(url_origin(target.evm->rpc));
        return target;
    }
    if (text.empty()) return Error(ErrorKind::invalid, "an anchor's place is empty").with_param("anchors");
    target.text = text;
    target.is_url = text.find("://") != std::string::npos;
    target.name = text;
    if (target.is_url) {
        JZ_TRY(const std::string origin, url_origin(text));
        target.name = origin.substr(0, origin.find("://") + 3) + host_of(origin);
    }
    return target;
}

Result<> publish_to_contract(const EvmPlace& place, const proof::Checkpoint& checkpoint, const std::stop_token& stop) {
    JZ_TRY(auto transport, http_transport(place.rpc, request_timeout, stop));
    EvmNode node(std::move(transport));
    JZ_TRY(const std::uint64_t chain, node.chain_id());
    if (chain != place.chain) {
        return Error(ErrorKind::conflict, "the node is on chain " + std::to_string(chain) +
                                              ", the place on another: give the right node with --rpc or JIAOZI_RPC");
    }
    AnchorList list(node, place.contract, place.publisher, checkpoint.origin);
    JZ_CHECK(list.publish(checkpoint, {.confirmations = 1, .stop = stop}));
    return {};
}

Result<> publish_to(const Target& target, const SignedCheckpoint& anchor, const proof::NoteKey& key,
                    const std::stop_token& stop) {
    if (target.evm) return publish_to_contract(*target.evm, anchor.checkpoint, stop);
    if (target.is_url) {
        JZ_CHECK(post_to_url(target.text, anchor, key, request_timeout, stop));
    } else {
        JZ_CHECK(append_to_file(target.text, anchor, key));
    }
    return {};
}

}  // namespace

// One place and the thread that fills it.
class Publisher::Place {
  public:
    Place(Target target, std::string name, const PublisherOptions& options)
        : target_(std::move(target)),
          name_(std::move(name)),
          newest_(options.newest),
          key_(options.key),
          every_(options.every.ns) {}

    void start() {
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    void request_stop() { thread_.request_stop(); }
    PlaceStatus status() const {
        const std::lock_guard guard(mutex_);
        return {name_, published_size_, failures_, failing_};
    }

  private:
    void run(const std::stop_token& stop) {
        const std::chrono::nanoseconds soon = std::min<std::chrono::nanoseconds>(first_pause, every_);
        std::chrono::nanoseconds pause = soon;
        while (!stop.stop_requested()) {
            const auto done = publish(stop);
            if (stop.stop_requested()) return;
            std::chrono::nanoseconds wait = soon;
            if (!done.ok()) {
                wait = std::exchange(pause, std::min(pause * 2, every_));
                report(done.error(), wait);
            } else if (*done) {
                wait = every_;
                pause = soon;
            }
            std::unique_lock lock(mutex_);
            stopped_.wait_for(lock, stop, wait, [] { return false; });
        }
    }

    // False: nothing has been signed yet.
    Result<bool> publish(const std::stop_token& stop) {
        const auto note = newest_();
        if (!note.ok() && note.error().kind() == ErrorKind::not_found) return false;
        if (!note.ok()) return note.error();
        JZ_TRY(proof::Checkpoint checkpoint, proof::open_checkpoint(*note, key_));
        if (published_ != checkpoint) {
            const SignedCheckpoint anchor{std::move(checkpoint), *note};
            JZ_CHECK(publish_to(target_, anchor, key_, stop));
            published_ = anchor.checkpoint;
            log::info("checkpoint anchored", {{"place", name_}, {"commands", std::to_string(published_->size)}});
        }
        const std::lock_guard guard(mutex_);
        published_size_ = published_->size;
        failing_ = false;
        return true;
    }

    void report(const Error& error, std::chrono::nanoseconds wait) {
        const auto next_s = std::chrono::duration_cast<std::chrono::seconds>(wait).count();
        // A conflict does not mend itself: the log and what is anchored of it have two histories.
        log::write(error.kind() == ErrorKind::conflict ? log::Level::error : log::Level::warn,
                   "a checkpoint could not be anchored",
                   {{"place", name_}, {"cause", error.to_string()}, {"again_in_s", std::to_string(next_s)}});
        const std::lock_guard guard(mutex_);
        ++failures_;
        failing_ = true;
    }

    const Target target_;
    const std::string name_;
    const std::function<Result<std::string>()> newest_;
    const proof::NoteKey key_;
    const std::chrono::nanoseconds every_;
    std::optional<proof::Checkpoint> published_;  // the thread's own

    mutable std::mutex mutex_;
    std::condition_variable_any stopped_;
    // mutex_ guards these.
    std::uint64_t published_size_ = 0;
    std::uint64_t failures_ = 0;
    bool failing_ = false;

    std::jthread thread_;
};

Publisher::Publisher() = default;

// All are told before one is waited for.
Publisher::~Publisher() {
    for (const auto& place : places_) place->request_stop();
}

Result<std::unique_ptr<Publisher>> Publisher::start(const PublisherOptions& options) {
    if (options.places.size() > max_publisher_places)
        return Error(ErrorKind::invalid, "at most 16 places are published to").with_param("anchors");
    auto publisher = std::unique_ptr<Publisher>(new Publisher());
    std::map<std::string, unsigned> names;
    for (const std::string& text : options.places) {
        JZ_TRY(Target target, parse_target(text, options.rpc));
        // Two URLs of one host are told apart by their number.
        const unsigned number = ++names[target.name];
        std::string name = number == 1 ? target.name : target.name + " (" + std::to_string(number) + ")";
        publisher->places_.push_back(std::make_unique<Place>(std::move(target), std::move(name), options));
    }
    for (const auto& place : publisher->places_) place->start();
    return publisher;
}

std::vector<PlaceStatus> Publisher::status() const {
    std::vector<PlaceStatus> all;
    all.reserve(places_.size());
    for (const auto& place : places_) all.push_back(place->status());
    return all;
}

}  // namespace jiaozi::anchor
