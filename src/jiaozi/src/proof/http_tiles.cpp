#include "http_tiles.hpp"

#include <algorithm>
#include <vector>

#include <jiaozi/proof/tiles.hpp>

#include "../cli/operator.hpp"

namespace jiaozi::proofs {

Result<std::string> get(client::HttpClient& client, const std::string& path) {
    client::Request request;
    request.path = path;
    JZ_TRY(client::Response response, client.send(request));
    if (response.status == 200) return std::move(response.body);
    return cli::error_of("GET " + path, response);
}

Result<crypto::Digest> HttpTiles::node(unsigned level, std::uint64_t index) {
    const unsigned stored = level / proof::tile_height;
    const unsigned above = level % proof::tile_height;
    const std::uint64_t first = index << above;
    const std::uint64_t known = size_ >> (proof::tile_height * stored);
    proof::TileName name{.entries = false, .level = stored, .index = first / proof::tile_width};
    name.width = std::min(proof::tile_width, known - name.index * proof::tile_width);
    const std::string path = name.path();
    auto found = read_.find(path);
    if (found == read_.end()) {
        JZ_TRY(const std::string body, get(client_, "/tile/" + path));
        found = read_.emplace(path, to_bytes(as_bytes(body))).first;
    }
    const Bytes& tile = found->second;
    std::vector<crypto::Digest> hashes(std::size_t{1} << above);
    const auto begin = static_cast<std::size_t>(first % proof::tile_width) * sizeof(crypto::Digest);
    if (tile.size() != name.width * sizeof(crypto::Digest) ||
        hashes.size() * sizeof(crypto::Digest) > tile.size() - begin)
        return Error(ErrorKind::malformed, "/tile/" + path + " has not the size of a tile");
    for (std::size_t i = 0; i < hashes.size(); ++i)
        std::copy_n(tile.begin() + static_cast<std::ptrdiff_t>(begin + i * 32), 32, hashes[i].begin());
    return crypto::merkle::root_of(hashes);
}

Result<bool> begins_with(HttpTiles& tiles, const proof::Checkpoint& before, const proof::Checkpoint& after) {
    if (before.size > after.size) return false;
    JZ_TRY(const auto proof, crypto::merkle::consistency_proof(tiles, before.size, after.size));
    return crypto::merkle::verify_consistency(before.size, before.root, after.size, after.root, proof);
}

}  // namespace jiaozi::proofs
