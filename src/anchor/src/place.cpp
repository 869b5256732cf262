#include <charconv>

#include <jiaozi/anchor/contract.hpp>
#include <jiaozi/anchor/places.hpp>

#include "notes.hpp"
#include "url.hpp"

namespace jiaozi::anchor {
namespace {

constexpr std::string_view signature_start = "\u2014 ";

// The note at the beginning of the text: its bytes, or 0 when it is not whole.
std::size_t note_length(std::string_view text) {
    // A checkpoint's text has no empty line: the first ends it.
    const std::size_t blank = text.find("\n\n");
    if (blank == std::string_view::npos) return 0;
    std::size_t end = blank + 2;
    while (text.substr(end).starts_with(signature_start)) {
        const std::size_t newline = text.find('\n', end);
        if (newline == std::string_view::npos) return 0;
        end = newline + 1;
    }
    // Without a signature it is not whole either: they are written last.
    return end == blank + 2 ? 0 : end;
}

Error malformed(std::string what) {
    return Error(ErrorKind::malformed, std::move(what));
}

}  // namespace

Result<NoteList> split_notes(std::string_view text) {
    if (text.size() > max_anchor_text_bytes)
        return Error(ErrorKind::too_large,
                     "anchored checkpoints are over 16 MiB; begin another file, and keep this one");
    NoteList list;
    while (list.end < text.size()) {
        const std::string_view rest = text.substr(list.end);
        const std::size_t length = note_length(rest);
        const auto parsed =
            length == 0 ? Result<proof::Note>(malformed("not whole")) : proof::Note::parse(rest.substr(0, length));
        if (!parsed.ok()) {
            list.torn = length == 0 && rest.size() <= proof::max_note_bytes;
            if (list.torn) return list;
            return malformed("there is something at offset " + std::to_string(list.end) +
                             " that is no signed note: " + parsed.error().message());
        }
        list.notes.emplace_back(rest.substr(0, length));
        list.end += length;
    }
    return list;
}

Result<bool> follows(const NoteList& list, const proof::Checkpoint& checkpoint, const proof::NoteKey& key) {
    bool newer = true;
    for (const std::string& note : list.notes) {
        const auto there = proof::open_checkpoint(note, key);
        if (!there.ok() || there->size < checkpoint.size) continue;
        JZ_TRY(newer, follows(there->size, there->root, checkpoint));
    }
    return newer;
}

Result<EvmPlace> EvmPlace::parse(std::string_view text) {
    const Error wrong =
        Error(ErrorKind::invalid,
              "a contract's list is named eip155:CHAIN:CONTRACT/PUBLISHER, as `jiaozi anchor evm` prints "
              "it, with @URL of a node behind it if JIAOZI_RPC and --rpc don't say one")
            .with_param("anchors");
    if (!looks_like(text)) return wrong;
    text.remove_prefix(7);
    EvmPlace place;
    if (const std::size_t node = text.find('@'); node != std::string_view::npos) {
        place.rpc = text.substr(node + 1);
        text = text.substr(0, node);
        JZ_CHECK(url_origin(place.rpc));
    }
    const std::size_t colon = text.find(':');
    const std::size_t slash = text.find('/');
    if (colon == std::string_view::npos || slash == std::string_view::npos || slash < colon) return wrong;
    const std::string_view chain = text.substr(0, colon);
    const auto [end, failed] = std::from_chars(chain.begin(), chain.end(), place.chain);
    const auto contract = Address::parse(text.substr(colon + 1, slash - colon - 1));
    const auto publisher = Address::parse(text.substr(slash + 1));
    if (failed != std::errc() || end != chain.end() || !contract.ok() || !publisher.ok()) return wrong;
    place.contract = *contract;
    place.publisher = *publisher;
    return place;
}

std::string EvmPlace::to_string() const {
    return "eip155:" + std::to_string(chain) + ":" + contract.to_string() + "/" + publisher.to_string();
}

}  // namespace jiaozi::anchor
