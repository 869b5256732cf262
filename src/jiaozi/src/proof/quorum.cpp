#include "quorum.hpp"

#include <jiaozi/client/http_client.hpp>
#include <jiaozi/proof/witness.hpp>

#include "../cli/terminal.hpp"
#include "files.hpp"
#include "http_tiles.hpp"

namespace jiaozi::proofs {
namespace {

using cli::say;

// The cosigned notes, those of one text together.
Result<std::vector<proof::Note>> read_cosigned(const std::vector<std::string>& files) {
    std::vector<proof::Note> notes;
    for (const std::string& file : files) {
        JZ_TRY(const std::string text, read_text(file));
        JZ_TRY(proof::Note note, proof::Note::parse(text));
        bool merged = false;
        for (proof::Note& other : notes) {
            if (other.text != note.text) continue;
            JZ_TRY(other, proof::merge_signatures(std::move(other), note));
            merged = true;
            break;
        }
        if (!merged) notes.push_back(std::move(note));
    }
    return notes;
}

// A later checkpoint of the same log that enough witnesses cosigned begins with this one.
Result<bool> continued_by(const proof::Checkpoint& checkpoint, const proof::Note& later, const proof::NoteKey& log,
                          const std::string& server) {
    JZ_TRY(const proof::Checkpoint after, proof::open_checkpoint(later.to_string(), log));
    if (after.size < checkpoint.size) return false;
    if (server.empty()) {
        return Error(
                   ErrorKind::invalid,
                   "the witnesses cosigned a later checkpoint than this one: give --server, whose tiles show that the "
                   "one continues the other")
            .with_param("server");
    }
    JZ_TRY(auto client, client::HttpClient::create({.base_url = server, .key = {}, .timeout = seconds(30)}));
    HttpTiles tiles(client, after.size);
    JZ_TRY(const bool same, begins_with(tiles, checkpoint, after));
    if (same) return true;
    return Error(
        ErrorKind::corrupt,
        "the checkpoint is not the beginning of the one that the witnesses cosigned: the log has two histories, "
        "or the tiles are wrong. Keep both");
}

}  // namespace

std::shared_ptr<QuorumOptions> add_quorum_options(CLI::App& command) {
    auto options = std::make_shared<QuorumOptions>();
    CLI::Option* const witness = command.add_option(
        "--witness", options->witnesses,
        say("a witness's verifier key, or a file with it: its cosignature is demanded; may be repeated",
            "见证者的验证公钥或含公钥的文件：要求其联署；可重复"));
    command
        .add_option("--quorum", options->quorum,
                    say("how many of the witnesses suffice; all by default", "至少需要的联署数；缺省为全部"))
        ->check(CLI::Range(1, 16))
        ->needs(witness);
    command
        .add_option("--cosigned", options->cosigned,
                    say("a checkpoint that a witness cosigned; may be repeated", "见证者联署的检查点文件；可重复"))
        ->needs(witness);
    command
        .add_option("--server", options->server,
                    say("a server with the log's tiles, needed when the cosigned checkpoint is a later one",
                        "提供日志哈希块的服务；联署的检查点较新时需要"))
        ->needs(witness);
    return options;
}

Result<> demand_quorum(const QuorumOptions& options, const proof::NoteKey& log, const std::string& note_text) {
    if (options.witnesses.empty()) return {};
    std::vector<proof::NoteKey> witnesses;
    for (const std::string& one : options.witnesses) {
        JZ_TRY(witnesses.emplace_back(), read_note_key(one));
    }
    const std::size_t quorum = options.quorum == 0 ? witnesses.size() : options.quorum;
    JZ_TRY(proof::Note note, proof::Note::parse(note_text));
    JZ_TRY(const proof::Checkpoint checkpoint, proof::open_checkpoint(note_text, log));
    JZ_TRY(const auto cosigned, read_cosigned(options.cosigned));
    for (const proof::Note& other : cosigned) {
        if (other.text == note.text) {
            JZ_TRY(note, proof::merge_signatures(std::move(note), other));
        } else if (proof::require_quorum(other, witnesses, quorum).ok()) {
            JZ_TRY(const bool continued, continued_by(checkpoint, other, log, options.server));
            if (continued) return {};
        }
    }
    return proof::require_quorum(note, witnesses, quorum);
}

}  // namespace jiaozi::proofs
