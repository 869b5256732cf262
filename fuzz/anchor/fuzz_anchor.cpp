// Hostile answers of nodes, lists of notes, and names of places. The first byte chooses.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <boost/json.hpp>

#include <jiaozi/anchor/contract.hpp>
#include <jiaozi/anchor/json_rpc.hpp>
#include <jiaozi/anchor/places.hpp>

namespace {

using namespace jiaozi;
using namespace jiaozi::anchor;

void require(bool condition) {
    if (!condition) std::abort();
}

void answer(std::string_view text) {
    const auto result = rpc_result(text, 1);
    if (!result.ok()) {
        for (const char c : result.error().message()) require(static_cast<unsigned char>(c) >= 0x20);
        return;
    }
    if (const auto number = rpc_quantity(*result); number.ok())
        require(*rpc_quantity(boost::json::value(hex_quantity(*number))) == *number);
    if (const auto bytes = rpc_data(*result); bytes.ok()) {
        require(*rpc_data(boost::json::value(hex_data(*bytes))) == *bytes);
        const auto words = decode_words(*bytes, 3);
        if (words.ok()) static_cast<void>(decode_number((*words)[1]).ok());
    }
}

// A node of which every answer is the input.
void node(std::string_view text) {
    EvmNode all([text](const std::string&) -> Result<std::string> { return std::string(text); });
    // The id counts up, so an answer can be to one of these only.
    static_cast<void>(all.receipt({}).ok());
    static_cast<void>(all.chain_id().ok());
    AnchorList list(all, {}, {}, "log");
    static_cast<void>(list.latest().ok());
}

void notes(std::string_view text) {
    const auto list = split_notes(text);
    if (!list.ok()) return;
    std::string joined;
    for (const std::string& note : list->notes) joined += note;
    require(joined == text.substr(0, list->end));
    require(list->torn == (list->end != text.size()));
}

void place(std::string_view text) {
    const auto parsed = EvmPlace::parse(text);
    if (!parsed.ok()) return;
    require(parsed->to_string() == EvmPlace::parse(parsed->to_string())->to_string());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text = as_text(ByteView(data + 1, size - 1));
    switch (data[0] % 4) {
        case 0:
            answer(text);
            break;
        case 1:
            node(text);
            break;
        case 2:
            notes(text);
            break;
        default:
            place(text);
    }
    return 0;
}
