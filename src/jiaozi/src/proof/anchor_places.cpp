#include "anchor_places.hpp"

#include <memory>

#include <jiaozi/anchor/contract.hpp>
#include <jiaozi/anchor/places.hpp>

#include "../cli/terminal.hpp"

namespace jiaozi::proofs {
namespace {

using cli::say;

constexpr Duration patience = seconds(30);

proof::AnchorPlace of_notes(const std::string& name, anchor::NoteList list) {
    return {.name = name, .notes = std::move(list.notes), .roots = {}, .torn = list.torn};
}

Result<proof::AnchorPlace> read_contract(const std::string& text, const std::string& rpc, const std::string& origin) {
    JZ_TRY(const anchor::EvmPlace place, anchor::EvmPlace::parse(text));
    JZ_TRY(auto transport, anchor::http_transport(place.rpc.empty() ? rpc : place.rpc, patience));
    anchor::EvmNode node(std::move(transport));
    JZ_TRY(const std::uint64_t chain, node.chain_id());
    if (chain != place.chain) {
        return Error(ErrorKind::conflict, "the node is on chain " + std::to_string(chain) + ", and " +
                                              place.to_string() + " is on another: give the right node with --rpc")
            .with_param("rpc");
    }
    anchor::AnchorList list(node, place.contract, place.publisher, origin);
    JZ_TRY(const auto anchors, list.all());
    proof::AnchorPlace out{.name = place.to_string(), .notes = {}, .roots = {}, .torn = false};
    for (const anchor::EvmAnchor& one : anchors) out.roots.push_back({one.size, one.root});
    return out;
}

Result<proof::AnchorPlace> read_place(const std::string& text, const std::string& rpc, const std::string& origin) {
    if (anchor::EvmPlace::looks_like(text)) return read_contract(text, rpc, origin);
    if (text.starts_with("http://") || text.starts_with("https://")) {
        JZ_TRY(auto list, anchor::read_anchor_url(text, patience));
        return of_notes(text, std::move(list));
    }
    JZ_TRY(auto list, anchor::read_anchor_file(text));
    return of_notes(text, std::move(list));
}

}  // namespace

void add_rpc_option(CLI::App& command, std::string& rpc) {
    command
        .add_option("--rpc", rpc,
                    say("the chain's node, JSON-RPC over HTTP; better in the environment if it holds a key",
                        "链节点的 JSON-RPC 地址；若含密钥，宜用环境变量"))
        ->envname("JIAOZI_RPC")
        ->default_val("http://127.0.0.1:8545");
}

std::shared_ptr<PlaceOptions> add_place_options(CLI::App& command, bool positional) {
    auto options = std::make_shared<PlaceOptions>();
    CLI::Option* const places = command.add_option(
        positional ? "place" : "--anchors", options->places,
        say("where checkpoints are anchored: a file, a URL, or eip155:CHAIN:CONTRACT/PUBLISHER; may be "
            "repeated",
            "检查点的锚定处：文件、网址或 eip155:链:合约/发布者；可重复"));
    if (positional) places->required();
    add_rpc_option(command, options->rpc);
    return options;
}

Result<std::vector<proof::AnchorPlace>> read_places(const PlaceOptions& options, const std::string& origin) {
    std::vector<proof::AnchorPlace> places;
    for (const std::string& text : options.places) {
        JZ_TRY(places.emplace_back(), read_place(text, options.rpc, origin));
    }
    return places;
}

}  // namespace jiaozi::proofs
