// A log's tree read from the outside, tile by tile, over HTTP: what consistency is checked with. Nothing that the
// server says is believed: hashes that are not the tree's do not lead to the signed roots.
#pragma once

#include <map>
#include <string>

#include <jiaozi/client/http_client.hpp>
#include <jiaozi/crypto/merkle.hpp>
#include <jiaozi/proof/note.hpp>

namespace jiaozi::proofs {

// For trees of at most `size` leaves. Not thread-safe.
class HttpTiles final : public crypto::merkle::NodeSource {
  public:
    HttpTiles(client::HttpClient& client, std::uint64_t size) : client_(client), size_(size) {}
    Result<crypto::Digest> node(unsigned level, std::uint64_t index) override;

  private:
    client::HttpClient& client_;
    std::uint64_t size_;
    std::map<std::string, Bytes> read_;
};

// Whether the newer checkpoint's log begins with the older one's: false, too, when the older is the larger. Error: the
// tiles can't be had.
Result<bool> begins_with(HttpTiles& tiles, const proof::Checkpoint& before, const proof::Checkpoint& after);

// The body of an answer, or what the server said instead.
Result<std::string> get(client::HttpClient& client, const std::string& path);

}  // namespace jiaozi::proofs
