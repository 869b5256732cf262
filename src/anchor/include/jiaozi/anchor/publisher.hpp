// Publishes a log's newest checkpoint to places at intervals: what `jiaozi serve --anchors` runs. Each place has a
// thread of its own, so that one that is slow or down holds up neither the others nor anybody else; what fails is
// logged, counted and tried again after 5 s, 10 s and so on up to the interval.
//
// Threading: any thread. Lifetime: what `newest` uses outlives the publisher. Destroying it ends a request under way
// within a second or so.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/proof/note.hpp>

namespace jiaozi::anchor {

inline constexpr std::size_t max_publisher_places = 16;

struct PublisherOptions {
    // As people write them: a file, a URL, or what EvmPlace::parse takes. For a contract the publisher's key is the
    // node's, or that of a signer behind it.
    std::vector<std::string> places;
    std::string rpc;                 // the node of contracts that name none
    Duration every = seconds(3600);  // in real time; also the longest pause after a failure
    // The log's newest signed checkpoint. Error not_found while there is none, which is no failure.
    std::function<Result<std::string>()> newest;
    proof::NoteKey key;  // the log's
};

struct PlaceStatus {
    std::string name;             // shows no secret: of a URL its host
    std::uint64_t published = 0;  // commands that the newest checkpoint there covers, as far as this process knows
    std::uint64_t failures = 0;
    bool failing = false;  // the last attempt failed
};

class Publisher {
  public:
    // The first checkpoints go out at once. Error invalid: a place that is none, or too many.
    static Result<std::unique_ptr<Publisher>> start(const PublisherOptions& options);
    ~Publisher();
    Publisher(const Publisher&) = delete;
    Publisher& operator=(const Publisher&) = delete;

    // In the order of the options.
    std::vector<PlaceStatus> status() const;

  private:
    class Place;
    Publisher();
    std::vector<std::unique_ptr<Place>> places_;
};

}  // namespace jiaozi::anchor
