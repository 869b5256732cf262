#include <array>
#include <string>
#include <string_view>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/proof/history.hpp>

#include "integers.hpp"

namespace jiaozi::proof {
namespace {

constexpr std::string_view first_words = "jiaozi checkpoints 1 ";
constexpr std::size_t max_line = 1024;
constexpr std::size_t read_size = std::size_t{64} * 1024;

std::string line_of(const SignedRoot& row) {
    return std::to_string(row.size) + ' ' + codec::encode_base64(row.root) + ' ' + codec::encode_base64(row.signature) +
           '\n';
}

Result<SignedRoot> parse_line(std::string_view line) {
    JZ_TRY(const auto words, words_of<3>(line));
    SignedRoot row;
    JZ_TRY(row.size, parse_u64(words[0]));
    JZ_TRY(const Bytes root, codec::decode_base64(words[1]));
    if (root.size() != row.root.size()) return Error(ErrorKind::malformed, "a root has 32 bytes");
    std::ranges::copy(root, row.root.begin());
    JZ_TRY(row.signature, codec::decode_base64(words[2]));
    return row;
}

}  // namespace

Note note_of(const SignedRoot& row, const NoteKey& key) {
    return {Checkpoint{key.name, row.size, row.root}.text(), {{key.name, key.id(), row.signature}}};
}

Result<> HistoryReader::read(storage::Disk& disk, const std::filesystem::path& path,
                             const std::function<Result<>(const SignedRoot&, std::uint64_t offset)>& visit) {
    JZ_TRY(const auto file, disk.open(path, storage::Disk::Mode::read));
    const auto corrupt = [&](std::uint64_t offset, const std::string& why) {
        return Error(ErrorKind::corrupt, path.string() + " at offset " + std::to_string(offset) + ": " + why);
    };
    std::string waiting;  // bytes from `end` on
    std::uint64_t at = 0;
    std::uint64_t largest = 0;
    Bytes piece(read_size);
    for (;;) {
        JZ_TRY(const std::size_t got, file->read_at(at, piece));
        if (got == 0) return {};
        at += got;
        waiting.append(as_text(ByteView(piece).first(got)));
        std::size_t begin = 0;
        for (std::size_t newline = 0; (newline = waiting.find('\n', begin)) != std::string::npos; begin = newline + 1) {
            const std::string_view line = std::string_view(waiting).substr(begin, newline - begin);
            // A write that a power failure tore: what did not reach the disk reads as zeros. It was never shown, and
            // nothing was written behind it.
            if (line.contains('\0')) {
                JZ_TRY(const std::size_t more, file->read_at(at, ByteSpan(piece).first(1)));
                if (more == 0 && newline + 1 == waiting.size()) return {};
                return corrupt(end, "there are zeros in the line");
            }
            if (end == 0) {
                auto parsed = line.starts_with(first_words)
                                  ? NoteKey::parse(line.substr(first_words.size()))
                                  : Result<NoteKey>(corrupt(0, "it is not a list of checkpoints"));
                if (!parsed.ok()) return corrupt(0, parsed.error().message());
                key = *parsed;
            } else {
                auto row = parse_line(line);
                if (!row.ok()) return corrupt(end, row.error().message());
                if (rows != 0 && row->size <= largest) return corrupt(end, "checkpoints are out of order");
                largest = row->size;
                ++rows;
                JZ_CHECK(visit(*row, end));
            }
            end += line.size() + 1;
        }
        waiting.erase(0, begin);
        if (waiting.size() > max_line) return corrupt(end, "the line is too long");
    }
}

Result<History> History::open(const std::filesystem::path& path, const NoteKey& key, storage::Disk& disk) {
    HistoryReader reader;
    std::optional<SignedRoot> newest;
    auto read = reader.read(disk, path, [&](const SignedRoot& row, std::uint64_t) -> Result<> {
        newest = row;
        return {};
    });
    if (!read.ok() && read.error().kind() != ErrorKind::not_found) return std::move(read).error();
    const bool fresh = reader.end == 0;
    if (!fresh && reader.key != key) {
        return Error(ErrorKind::invalid, "this log signs as " + reader.key.to_string() + "; now it would sign as " +
                                             key.to_string() + ". Give the origin and the keystore it had before")
            .with_param("origin");
    }
    JZ_TRY(auto file, fresh ? disk.create(path) : disk.open(path, storage::Disk::Mode::read_write));
    History history(std::move(file));
    history.end_ = reader.end;
    history.newest_ = std::move(newest);
    JZ_TRY(const std::uint64_t size, history.file_->size());
    if (size > reader.end) JZ_CHECK(history.file_->truncate(reader.end));
    // What was read is going to be shown. If an earlier process could not sync it, only the page cache may have it, and
    // a sync alone would not bring it to the disk: so the last line is written once more.
    const std::string last =
        history.newest_ ? line_of(*history.newest_) : std::string(first_words) + key.to_string() + '\n';
    const std::uint64_t at = fresh ? 0 : history.end_ - last.size();
    const std::array parts{as_bytes(last)};
    JZ_CHECK(history.file_->write_at(at, parts));
    JZ_CHECK(history.file_->sync_all());
    // The file's name, and the folder's.
    const auto folder = std::filesystem::absolute(path).parent_path();
    JZ_CHECK(disk.sync_directory(folder));
    JZ_CHECK(disk.sync_directory(folder.parent_path()));
    history.end_ = at + last.size();
    return history;
}

Result<> History::append(const SignedRoot& row) {
    const std::string line = line_of(row);
    const std::array parts{as_bytes(line)};
    JZ_CHECK(file_->write_at(end_, parts));
    JZ_CHECK(file_->sync_all());
    end_ += line.size();
    newest_ = row;
    return {};
}

}  // namespace jiaozi::proof
