#include "files.hpp"

#include <fstream>
#include <iostream>
#include <iterator>

#include <jiaozi/api/json.hpp>
#include <jiaozi/money/amount.hpp>

namespace jiaozi::proofs {
namespace {

constexpr std::size_t max_text_bytes = std::size_t{64} * 1024 * 1024;

std::string take_all(std::istream& stream) {
    std::string text;
    std::string piece(std::size_t{64} * 1024, '\0');
    while (text.size() <= max_text_bytes &&
           (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())) || stream.gcount() > 0))
        text.append(piece, 0, static_cast<std::size_t>(stream.gcount()));
    return text;
}

}  // namespace

Result<std::string> read_text(const std::string& path) {
    std::string text;
    if (path == "-") {
        text = take_all(std::cin);
    } else {
        std::ifstream file(path, std::ios::binary);
        if (!file) return errno_error("read " + path);
        text = take_all(file);
    }
    if (text.size() > max_text_bytes) return Error(ErrorKind::too_large, path + " is over 64 MiB");
    return text;
}

Result<> write_text(const std::string& path, std::string_view text) {
    if (path == "-") {
        std::cout << text;
        return {};
    }
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) return errno_error("write " + path);
    return {};
}

Result<proof::NoteKey> read_note_key(const std::string& key_or_file) {
    if (auto key = proof::NoteKey::parse(key_or_file); key.ok()) return key;
    auto text = read_text(key_or_file);
    if (!text.ok()) {
        return Error(ErrorKind::invalid,
                     "give a verifier key (name+hash+base64) or a file that holds one, for example "
                     "the `vkey` in the log's folder; " +
                         text.error().message())
            .with_param("key");
    }
    return proof::NoteKey::parse(*text);
}

cli::Exit fail(const Error& error) {
    std::cerr << "jiaozi: " << error.to_string() << '\n';
    return cli::exit_for(error);
}

std::string amount_text(std::uint32_t ledger, uint128 minor) {
    const auto asset = find_asset(ledger);
    if (!asset.ok()) return to_decimal(minor) + " (" + std::to_string(ledger) + ")";
    const auto amount = parse_minor(to_decimal(minor), *asset);
    return amount.ok() ? amount->display() : to_decimal(minor) + " " + std::string(asset->name());
}

std::string time_text(std::uint64_t ns) {
    return api::rfc3339({ns});
}

}  // namespace jiaozi::proofs
