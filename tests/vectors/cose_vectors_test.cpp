// github.com/cose-wg/Examples: COSE_Sign1 with EdDSA (Ed25519) and ES256 through our decoder and verifiers. Envelopes
// that we do not offer but whose algorithms we do are checked one layer down, from the intermediate values in the
// files: signatures of COSE_Sign (98), tags of COSE_Mac (97) and of Mac0 with a shortened tag, keys derived by HKDF.
// All else is counted as not offered.
#include <algorithm>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/codec/cbor_value.hpp>
#include <jiaozi/crypto/cose.hpp>

#include "vectors.hpp"

namespace jiaozi::vectors {
namespace {

using crypto::CoseKind;
using crypto::CoseOptions;
using crypto::HighS;
using crypto::Suite;

const boost::json::object* object_at(const boost::json::object& object, std::string_view field) {
    const auto* const value = object.if_contains(field);
    return value != nullptr && value->is_object() ? &value->as_object() : nullptr;
}

// A coordinate or key, given as base64url or, with _hex, as hexadecimal.
Bytes key_part(const boost::json::object& key, const std::string& name) {
    if (key.contains(name + "_hex")) return hex_of(key, name + "_hex");
    return codec::decode_base64(text_of(key, name), codec::Base64::url_unpadded).value();
}

crypto::Verifier verifier_of(const boost::json::object& key, HighS high_s) {
    if (text_of(key, "crv") == "Ed25519") return crypto::make_verifier(Suite::ed25519, key_part(key, "x")).value();
    Bytes point = {4};
    append(point, key_part(key, "x"));
    append(point, key_part(key, "y"));
    return crypto::make_verifier(Suite::p256, point, high_s).value();
}

// The examples were made without a low-s rule.
bool has_high_s(const std::string& algorithm, ByteView signature) {
    return algorithm == "ES256" && (signature[32] & 0x80) != 0;
}

std::string algorithm_of(const boost::json::object& part) {
    for (const std::string_view bucket : {"protected", "unprotected"}) {
        const auto* const header = object_at(part, bucket);
        if (header != nullptr && header->contains("alg")) return text_of(*header, "alg");
    }
    return part.contains("alg") ? text_of(part, "alg") : "no algorithm";
}

bool is_offered_signature(const std::string& algorithm, const boost::json::object& key) {
    return (algorithm == "ES256" && text_of(key, "crv") == "P-256") ||
           (algorithm == "EdDSA" && text_of(key, "crv") == "Ed25519");
}

Bytes external_of(const boost::json::object& part) {
    return part.contains("external") ? hex_of(part, "external") : Bytes();
}

Bytes changed_last_byte(Bytes bytes) {
    bytes.back() ^= 1;
    return bytes;
}

// Decodes, authenticates the same bytes as the file says, verifies, and no longer does once a bit has changed.
bool checks_out(const Bytes& message, const crypto::Verifier& verifier, const Bytes& external,
                const Bytes& authenticated) {
    constexpr CoseOptions tolerant{.deterministic = false};
    const Bytes changed = changed_last_byte(message);
    const auto decoded = crypto::decode_cose(message, CoseKind::sign1, tolerant);
    const auto other = crypto::decode_cose(changed, CoseKind::sign1, tolerant);
    return decoded.ok() && crypto::cose_to_be_authenticated(*decoded, external) == authenticated &&
           crypto::verify_cose(*decoded, verifier, external).ok() && other.ok() &&
           !crypto::verify_cose(*other, verifier, external).ok();
}

class CoseExample {
  public:
    CoseExample(std::string name, const boost::json::value& json, Count& count)
        : name_(std::move(name)), example_(json.as_object()), input_(example_.at("input").as_object()), count_(count) {}

    void run() {
        if (const auto* const sign1 = object_at(input_, "sign0")) return run_sign1(*sign1);
        if (const auto* const sign = object_at(input_, "sign")) return run_sign(*sign);
        for (const std::string kind : {"mac0", "mac", "encrypted", "enveloped"}) {
            const auto* const part = object_at(input_, kind);
            if (part == nullptr) continue;
            const bool tag = kind.starts_with("mac") && run_tag(*part, kind);
            const bool derivation = run_hkdf(*part);
            if (!tag && !derivation) count_.not_offered(kind + " with " + algorithm_of(*part));
            return;
        }
        FAIL() << name_ << ": an unknown kind of example";
    }

  private:
    Bytes message() const { return hex_of(example_.at("output").as_object(), "cbor"); }
    const boost::json::object& intermediates() const { return example_.at("intermediates").as_object(); }

    void run_sign1(const boost::json::object& part) {
        const std::string algorithm = algorithm_of(part);
        const auto& key = part.at("key").as_object();
        if (!is_offered_signature(algorithm, key)) {
            EXPECT_FALSE(crypto::decode_cose(message(), CoseKind::sign1, CoseOptions{.deterministic = false}).ok())
                << name_;
            return count_.not_offered("Sign1 with " + algorithm + " on " + text_of(key, "crv") +
                                      ", refused by the decoder");
        }
        const bool strict = crypto::decode_cose(message(), CoseKind::sign1).ok();
        const std::string rules = strict ? ", deterministic" : ", tolerant decoding";
        const Bytes external = external_of(part);
        const Bytes wanted = hex_of(intermediates(), "ToBeSign_hex");
        const Bytes bytes = message();
        const bool high = has_high_s(algorithm, ByteView(bytes).last(crypto::signature_size));
        const bool good = checks_out(message(), verifier_of(key, HighS::accept), external, wanted) &&
                          checks_out(message(), verifier_of(key, HighS::refuse), external, wanted) != high;
        count_.expect("Sign1 " + algorithm + rules + (high ? ", high s: refused by the low-s rule" : ""), good, name_);
    }

    void run_sign(const boost::json::object& part) {
        const auto tree = codec::decode_cbor(message(), codec::CborRules::valid, {.allow_floats = true}).value();
        const auto& signatures = tree.items.at(0).items.at(3).items;
        const auto& signers = part.at("signers").as_array();
        for (std::size_t i = 0; i < signers.size(); ++i) {
            const auto& signer = signers[i].as_object();
            const std::string algorithm = algorithm_of(signer);
            const auto* const key = object_at(signer, "key");
            if (key == nullptr || !key->contains("crv") || !is_offered_signature(algorithm, *key)) {
                count_.not_offered("Sign with " + algorithm);
                continue;
            }
            const Bytes signed_bytes =
                hex_of(intermediates().at("signers").as_array().at(i).as_object(), "ToBeSign_hex");
            const Bytes& signature = signatures.at(i).items.at(2).bytes;
            const bool good =
                verifier_of(*key, HighS::accept).verify(signed_bytes, signature) &&
                verifier_of(*key, HighS::refuse).verify(signed_bytes, signature) != has_high_s(algorithm, signature);
            count_.expect("the signature of a Sign (98), " + algorithm, good, name_);
        }
    }

    // HS256 as in our Mac0, and HS256/64, whose tag is the first 8 bytes of the same.
    bool run_tag(const boost::json::object& part, const std::string& kind) {
        const std::string algorithm = algorithm_of(part);
        if (algorithm != "HS256" && algorithm != "HS256/64") return false;
        const auto tree = codec::decode_cbor(message(), codec::CborRules::valid, {.allow_floats = true}).value();
        const Bytes& tag = tree.items.at(0).items.at(3).bytes;
        const crypto::HmacKey key(hex_of(intermediates(), "CEK_hex"));
        const crypto::Digest computed = key.mac(hex_of(intermediates(), "ToMac_hex"));
        count_.expect(
            "the tag of a " + kind + ", " + algorithm,
            tag.size() == (algorithm == "HS256" ? 32U : 8U) && equal(ByteView(computed).first(tag.size()), tag), name_);
        return true;
    }

    bool run_hkdf(const boost::json::object& part) {
        const auto* const recipients = part.if_contains("recipients");
        if (recipients == nullptr || recipients->as_array().size() != 1) return false;
        const auto& recipient = recipients->as_array().at(0).as_object();
        if (algorithm_of(recipient) != "HKDF-HMAC-SHA-256") return false;
        const auto* const header = object_at(recipient, "unprotected");
        const Bytes salt =
            header != nullptr && header->contains("salt") ? to_bytes(as_bytes(text_of(*header, "salt"))) : Bytes();
        const Bytes context = hex_of(intermediates().at("recipients").as_array().at(0).as_object(), "Context_hex");
        const Bytes wanted = hex_of(intermediates(), "CEK_hex");
        const auto derived =
            crypto::hkdf_sha256(key_part(recipient.at("key").as_object(), "k"), salt, context, wanted.size());
        count_.expect("the key derived by HKDF-HMAC-SHA-256", equal(derived.view(), wanted), name_);
        return true;
    }

    std::string name_;
    const boost::json::object& example_;
    const boost::json::object& input_;
    Count& count_;
};

TEST(CoseVectors, WorkingGroupExamples) {
    JZ_NEED_VECTORS("cose");
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(vectors_folder)) {
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    ASSERT_FALSE(files.empty());
    Count count("cose examples (" + std::to_string(files.size()) + " files)");
    for (const auto& file : files) {
        const auto json = read_json(file);
        CoseExample(file.filename().string(), json, count).run();
    }
}

}  // namespace
}  // namespace jiaozi::vectors
