// Hostile snapshots, and what says where pruned segments are. The first byte chooses: the ledger's parts, whose lengths
// stand in front of each; a whole snapshot, whose check and checksums are made right first, because no fuzzer guesses
// SHA-256; or a `pruned` file, as it is and with its fields in the right places.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/ledger/ledger.hpp>
#include <jiaozi/storage/archive.hpp>
#include <jiaozi/storage/snapshot.hpp>

#include "../one_file.hpp"

namespace {

using namespace jiaozi;
using fuzz::OneFile;

class NoEvents final : public ledger::EventSource {
  public:
    bool read(std::uint64_t, ledger::Transfer&) const override { return false; }
};

// Each part: its length in four bytes, then so many bytes. The index of ids is too large for a fuzzer to come upon, so
// each of its shards that the input has no bytes for is an empty one.
class Parts final : public ledger::PartSource {
  public:
    explicit Parts(ByteView bytes) : bytes_(bytes) {}
    Result<std::uint64_t> begin(ledger::Part part) override {
        constexpr std::uint64_t shard_bytes = 8;
        constexpr std::uint64_t shards = std::uint64_t{1} << 14;
        std::uint32_t length = 0;
        if (bytes_.size() >= sizeof length) {
            std::memcpy(&length, bytes_.data(), sizeof length);
            bytes_ = bytes_.subspan(sizeof length);
        }
        length = static_cast<std::uint32_t>(std::min<std::size_t>(length, bytes_.size()));
        part_ = bytes_.first(length);
        bytes_ = bytes_.subspan(length);
        zeros_ = part == ledger::Part::transfer_ids ? (shards - (part_.empty() ? 0 : 1)) * shard_bytes : 0;
        return std::uint64_t{part_.size() + zeros_};
    }
    Result<> read(ByteSpan into) override {
        const std::size_t size = std::min(into.size(), part_.size());
        std::copy_n(part_.begin(), size, into.begin());
        part_ = part_.subspan(size);
        const ByteSpan rest = into.subspan(size);
        if (rest.size() > zeros_) return Error(ErrorKind::corrupt, "past the end");
        std::ranges::fill(rest, std::uint8_t{0});
        zeros_ -= rest.size();
        return {};
    }

  private:
    ByteView bytes_;
    ByteView part_;
    std::uint64_t zeros_ = 0;
};

void parts(ByteView bytes) {
    const NoEvents events;
    Parts source(bytes);
    const auto ledger = ledger::Ledger::load(source, events);
    if (!ledger.ok()) return;
    static_cast<void>(ledger->state_digest());
    static_cast<void>(ledger->next_expiry_ns());
    for (std::size_t i = 0; i < ledger->account_count(); ++i) {
        const ledger::Account& account = ledger->account_at(i);
        if (ledger->find_account(account.id) != &account) std::abort();
        if (ledger->account_number(account.id) != i) std::abort();
        static_cast<void>(ledger->find_transfer(account.id));
        static_cast<void>(ledger->refusal_of(account.user_data_128));
    }
}

void file(ByteView bytes) {
    Bytes image = to_bytes(bytes);
    if (image.size() >= sizeof(storage::SnapshotHeader)) {
        storage::SnapshotHeader header;
        std::memcpy(&header, image.data(), sizeof header);
        std::uint64_t at = sizeof header;
        for (storage::SnapshotSection& section : header.sections) {
            if (section.length > image.size() - at) break;
            if (section.kind != 0)
                section.checksum = crypto::sha256(
                    ByteView(image).subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(section.length)));
            at += section.length;
        }
        header.check = storage::check_of(header);
        std::memcpy(image.data(), &header, sizeof header);
    }
    OneFile disk{ByteView(image)};
    const auto reader = storage::SnapshotReader::open(disk, "fuzz.snapshot");
    if (!reader.ok()) return;
    const storage::SnapshotHeader& header = (*reader)->header();
    for (std::uint32_t i = 0; i < header.section_count; ++i) {
        const auto length = (*reader)->begin(header.sections[i].kind);
        if (!length.ok()) return;
        Bytes section(static_cast<std::size_t>(*length));
        if (!(*reader)->read(section).ok()) std::abort();  // the header has been held against the file's size
        std::uint8_t more = 0;
        if ((*reader)->read({&more, 1}).ok()) std::abort();
    }
    static_cast<void>((*reader)->finish());
}

void pruned(ByteView bytes) {
    static_cast<void>(storage::decode_pruned(bytes));
    storage::Pruned wanted;
    constexpr std::size_t fixed = sizeof wanted.first_kept + sizeof wanted.previous_hash;
    if (bytes.size() < fixed || bytes.size() - fixed > storage::max_archive_path) return;
    std::memcpy(&wanted.first_kept, bytes.data(), sizeof wanted.first_kept);
    std::memcpy(&wanted.previous_hash, bytes.data() + sizeof wanted.first_kept, sizeof wanted.previous_hash);
    wanted.archive = std::string(as_text(bytes.subspan(fixed)));
    const auto read = storage::decode_pruned(storage::encode_pruned(wanted));
    if (read.ok() && *read != wanted) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes(data + 1, size - 1);
    switch (data[0] % 3) {
        case 0:
            parts(bytes);
            break;
        case 1:
            file(bytes);
            break;
        default:
            pruned(bytes);
            break;
    }
    return 0;
}
