#include <algorithm>
#include <limits>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/protocol/errand.hpp>

namespace jiaozi::protocol {
namespace {

using codec::CborMapReader;
using codec::CborReader;
using codec::CborWriter;

constexpr codec::CborLimits errand_limits{.max_bytes = max_errand, .max_depth = 3, .max_items = 256};
constexpr codec::CborLimits answer_limits{.max_bytes = max_errand_answer, .max_depth = 4, .max_items = 512};
constexpr std::size_t max_acknowledgement = 1'024;
constexpr std::size_t max_list_body = 16'384;
constexpr std::size_t max_list_update = 1'024;
constexpr std::size_t deposit_key_size = 32;
constexpr std::uint64_t list_fields = 4;
constexpr std::uint64_t sync_fields = 3;
constexpr std::uint64_t put_off_fields = 2;

Error off(const CborReader& in, std::string_view what) {
    return in.error(ErrorKind::malformed, what);
}

Result<std::uint32_t> u32(CborReader& in) {
    JZ_TRY(const std::uint64_t value, in.uint());
    if (value > std::numeric_limits<std::uint32_t>::max()) return off(in, "a number has more than 32 bits");
    return static_cast<std::uint32_t>(value);
}

Result<Bytes> blob(CborReader& in, std::size_t least, std::size_t most) {
    JZ_TRY(const ByteView bytes, in.bytes());
    if (bytes.size() < least || bytes.size() > most) return off(in, "a byte string is too short or too long");
    return to_bytes(bytes);
}

Result<std::string> words(CborReader& in) {
    JZ_TRY(const std::string_view text, in.text());
    if (text.empty() || text.size() > max_name) return off(in, "a text is empty or too long");
    return std::string(text);
}

Result<std::vector<Bytes>> items(CborMapReader& map, int key, std::string_view name, std::size_t most) {
    JZ_CHECK(map.required(key, name));
    CborReader& in = map.reader();
    JZ_TRY(const std::uint64_t count, in.array());
    if (count > most) return off(in, std::string(name) + " has too many items");
    std::vector<Bytes> read;
    for (std::uint64_t i = 0; i < count; ++i) {
        JZ_TRY(read.emplace_back(), blob(in, 1, Errand::max_item));
    }
    return read;
}

Result<std::vector<std::string>> reasons(CborMapReader& map, int key, std::string_view name, std::size_t most) {
    JZ_CHECK(map.required(key, name));
    CborReader& in = map.reader();
    JZ_TRY(const std::uint64_t count, in.array());
    if (count > most) return off(in, std::string(name) + " has too many items");
    std::vector<std::string> read;
    for (std::uint64_t i = 0; i < count; ++i) {
        JZ_TRY(read.emplace_back(), words(in));
    }
    return read;
}

Result<Errand::Sync> read_sync(CborReader& in) {
    JZ_CHECK(in.array_of(sync_fields));
    Errand::Sync sync;
    JZ_TRY(sync.last_seen, u32(in));
    JZ_TRY(sync.suspect, in.boolean());
    JZ_TRY(sync.highest_seq, u32(in));
    return sync;
}

Result<ErrandAnswer::List> read_list(CborReader& in) {
    JZ_CHECK(in.array_of(list_fields));
    ErrandAnswer::List list;
    JZ_TRY(list.version, u32(in));
    JZ_TRY(list.head, blob(in, 0, max_list_update));
    JZ_TRY(list.body, blob(in, 0, max_list_body));
    JZ_TRY(list.update, blob(in, 0, max_list_update));
    return list;
}

Result<std::vector<ErrandAnswer::PutOff>> read_put_off(CborMapReader& map) {
    constexpr std::uint64_t most = 2;
    JZ_CHECK(map.required(7, "put_off"));
    CborReader& in = map.reader();
    JZ_TRY(const std::uint64_t count, in.array());
    if (count > most) return off(in, "put_off has too many items");
    std::vector<ErrandAnswer::PutOff> read;
    for (std::uint64_t i = 0; i < count; ++i) {
        JZ_CHECK(in.array_of(put_off_fields));
        ErrandAnswer::PutOff one;
        JZ_TRY(const std::uint64_t part, in.uint());
        const bool known = part == static_cast<std::uint64_t>(ErrandPart::carried) ||
                           part == static_cast<std::uint64_t>(ErrandPart::heads);
        if (!known) return off(in, "a part that can't be put off");
        one.part = static_cast<ErrandPart>(part);
        JZ_TRY(one.why, words(in));
        read.push_back(std::move(one));
    }
    return read;
}

void write_items(CborWriter& out, int key, const std::vector<Bytes>& items) {
    out.integer(key).array(items.size());
    for (const Bytes& item : items) out.bytes(item);
}

void write_words(CborWriter& out, int key, const std::vector<std::string>& words) {
    out.integer(key).array(words.size());
    for (const std::string& word : words) out.text(word);
}

Result<Errand> read_errand(ByteView bytes) {
    CborReader in(bytes, errand_limits);
    JZ_TRY(CborMapReader map, CborMapReader::open(in));
    Errand errand;
    JZ_CHECK(map.required(1, "purse"));
    JZ_TRY(errand.purse, u32(in));
    if (errand.purse == 0) return off(in, "purse is zero");
    JZ_TRY(errand.deposits, items(map, 2, "deposits", Errand::max_deposits));
    JZ_TRY(const bool syncs, map.optional(3));
    if (syncs) {
        JZ_TRY(errand.sync, read_sync(in));
    }
    JZ_TRY(const bool lists, map.optional(4));
    if (lists) {
        JZ_TRY(errand.list, u32(in));
    }
    JZ_TRY(errand.carried, items(map, 5, "carried", Errand::max_carried));
    JZ_TRY(const bool alarmed, map.optional(6));
    if (alarmed) {
        JZ_TRY(errand.heads, blob(in, 1, Errand::max_heads));
    }
    JZ_CHECK(map.finish());
    JZ_CHECK(in.finish());
    return errand;
}

Result<ErrandAnswer> read_answer(ByteView bytes) {
    CborReader in(bytes, answer_limits);
    JZ_TRY(CborMapReader map, CborMapReader::open(in));
    ErrandAnswer answer;
    JZ_TRY(answer.deposits, reasons(map, 1, "deposits", Errand::max_deposits));
    JZ_TRY(const bool synced, map.optional(2));
    if (synced) {
        JZ_TRY(answer.acknowledgement, blob(in, 1, max_acknowledgement));
    }
    JZ_TRY(const bool listed, map.optional(3));
    if (listed) {
        JZ_TRY(answer.list, read_list(in));
    }
    JZ_TRY(answer.carried, reasons(map, 4, "carried", Errand::max_carried));
    JZ_TRY(answer.two_lists, map.boolean(5, "two_lists"));
    JZ_TRY(const bool keyed, map.optional(6));
    if (keyed) {
        JZ_TRY(answer.deposit_key, blob(in, deposit_key_size, deposit_key_size));
    }
    JZ_TRY(answer.put_off, read_put_off(map));
    JZ_CHECK(map.finish());
    JZ_CHECK(in.finish());
    return answer;
}

// An integer that does not fit its type is `invalid` to the CBOR reader; here it is malformed all the same.
template <class Read>
Result<Read> strictly(Result<Read> read) {
    if (read.ok() || read.error().kind() == ErrorKind::too_large) return read;
    return Error(ErrorKind::malformed, read.error().message());
}

}  // namespace

Bytes encode(const Errand& errand) {
    CborWriter out;
    out.map(3U + (errand.sync ? 1U : 0U) + (errand.list ? 1U : 0U) + (errand.heads.empty() ? 0U : 1U));
    out.uint(1).uint(errand.purse);
    write_items(out, 2, errand.deposits);
    if (errand.sync) {
        out.uint(3).array(sync_fields).uint(errand.sync->last_seen);
        out.boolean(errand.sync->suspect).uint(errand.sync->highest_seq);
    }
    if (errand.list) out.uint(4).uint(*errand.list);
    write_items(out, 5, errand.carried);
    if (!errand.heads.empty()) out.uint(6).bytes(errand.heads);
    return out.take();
}

Result<Errand> decode_errand(ByteView bytes) {
    return strictly(read_errand(bytes));
}

Bytes encode(const ErrandAnswer& answer) {
    CborWriter out;
    out.map(4U + (answer.acknowledgement.empty() ? 0U : 1U) + (answer.list ? 1U : 0U) +
            (answer.deposit_key.empty() ? 0U : 1U));
    write_words(out, 1, answer.deposits);
    if (!answer.acknowledgement.empty()) out.uint(2).bytes(answer.acknowledgement);
    if (answer.list) {
        out.uint(3).array(list_fields).uint(answer.list->version);
        out.bytes(answer.list->head).bytes(answer.list->body).bytes(answer.list->update);
    }
    write_words(out, 4, answer.carried);
    out.uint(5).boolean(answer.two_lists);
    if (!answer.deposit_key.empty()) out.uint(6).bytes(answer.deposit_key);
    out.uint(7).array(answer.put_off.size());
    for (const ErrandAnswer::PutOff& one : answer.put_off) {
        out.array(put_off_fields).uint(static_cast<std::uint64_t>(one.part)).text(one.why);
    }
    return out.take();
}

Result<ErrandAnswer> decode_errand_answer(ByteView bytes) {
    return strictly(read_answer(bytes));
}

TransferId transfer_id(ByteView errand) {
    return crypto::sha256(errand);
}

AnswerCheck answer_check(ByteView answer) {
    const crypto::Digest digest = crypto::sha256(answer);
    AnswerCheck check{};
    std::copy_n(digest.begin(), check.size(), check.begin());
    return check;
}

}  // namespace jiaozi::protocol
