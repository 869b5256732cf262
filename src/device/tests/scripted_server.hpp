// A server made of the protocol's own functions, which does what a test says and nothing else.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/protocol/protocol.hpp>

namespace jiaozi::device::test {

class ScriptedServer {
  public:
    explicit ScriptedServer(const Clock& clock)
        : clock_(clock),
          key_(crypto::generate_key(crypto::Suite::ed25519)),
          signer_(crypto::make_signer(key_).value()),
          kid_(protocol::credential_id(key_.suite, key_.public_key)) {}

    std::uint32_t heartbeat_s = 30;
    Duration session_lifetime = seconds(86'400);
    const Bytes& public_key() const { return key_.public_key; }

    // ---- enrolment

    Bytes answer_claim(ByteView envelope) {
        const auto decoded = protocol::peek(envelope, protocol::Direction::up).value();
        const auto message = protocol::open(decoded).value();
        const auto& claim = std::get<protocol::Claim>(message.body);
        device_ = message.device;
        use_credential(claim.suite, claim.public_key);
        EXPECT_TRUE(protocol::verify(decoded, *credential_).ok());
        return sign({.device = device_,
                     .session = {},
                     .seq = 1,
                     .time_ms = clock_.now().ms(),
                     .body = protocol::Claimed{.credential = credential_kid_,
                                               .server_suite = key_.suite,
                                               .server_key = key_.public_key,
                                               .mqtt_password = "secret of this device",
                                               .certificate = certificate()}});
    }
    void use_credential(crypto::Suite suite, const Bytes& public_key) {
        credential_ = crypto::make_verifier(suite, public_key).value();
        credential_kid_ = protocol::credential_id(suite, public_key);
    }
    Bytes certificate() const {
        const auto suite = credential_->suite();
        const auto key = to_bytes(credential_->public_key());
        return protocol::make_certificate(*signer_, {device_, suite, key, credential_kid_, clock_.now().ms()}).value();
    }

    // ---- hearing: nullopt for what a server refuses

    struct Heard {
        protocol::Message message;
        bool is_signed = false;
    };
    std::optional<Heard> hear(ByteView bytes) const {
        const auto envelope = protocol::peek(bytes, protocol::Direction::up);
        if (!envelope.ok()) return std::nullopt;
        if (envelope->is_signed()) {
            if (!equal(envelope->kid(), credential_kid_) || !protocol::verify(*envelope, *credential_).ok()) return {};
        } else {
            if (!session_ || !equal(envelope->kid(), session_->id)) return std::nullopt;
            if (!protocol::verify(*envelope, session_->keys.up).ok()) return std::nullopt;
        }
        auto message = protocol::open(*envelope);
        if (!message.ok() || message->device != device_) return std::nullopt;
        return Heard{std::move(message).value(), envelope->is_signed()};
    }

    // ---- saying

    // Begins a session, as the answer to this hello.
    Bytes welcome(const protocol::Message& hello) {
        const auto& body = std::get<protocol::Hello>(hello.body);
        const auto ephemeral = crypto::generate_x25519();
        protocol::SessionId id{};
        crypto::random_bytes(id);
        session_.emplace(id,
                         protocol::derive_session_keys(ephemeral.private_key.view(), body.ephemeral, body.nonce, id,
                                                       device_, credential_kid_)
                             .value(),
                         1);
        last_hello_ms_ = hello.time_ms;
        const std::uint64_t now_ms = clock_.now().ms();
        return sign({.device = device_,
                     .session = {},
                     .seq = 1,
                     .time_ms = now_ms,
                     .body = protocol::Welcome{.ephemeral = ephemeral.public_key,
                                               .nonce = body.nonce,
                                               .session = id,
                                               .expires_ms = (clock_.now() + session_lifetime).ms(),
                                               .heartbeat_s = heartbeat_s,
                                               .hello_seq = hello.seq}});
    }
    Bytes say(protocol::Body body, bool as_signed = false) {
        protocol::Message message{.device = device_,
                                  .session = session_->id,
                                  .seq = session_->next_down++,
                                  .time_ms = clock_.now().ms(),
                                  .body = std::move(body)};
        if (as_signed || protocol::always_signed(protocol::type_of(message.body))) return sign(message);
        return protocol::seal(message, session_->keys.down).value();
    }
    Bytes error(protocol::RefusalCode code, std::optional<std::uint64_t> seq = std::nullopt) const {
        return sign({.device = device_,
                     .session = {},
                     .seq = 1,
                     .time_ms = clock_.now().ms(),
                     .body = protocol::ErrorAnswer{code, "because the test says so", seq, clock_.now().ms()}});
    }
    Bytes sign(const protocol::Message& message) const { return protocol::seal(message, *signer_, kid_).value(); }

    bool has_session() const { return session_.has_value(); }
    void restart() { session_.reset(); }
    std::uint64_t last_hello_ms() const { return last_hello_ms_; }
    DeviceId device() const { return device_; }

  private:
    struct Session {
        Session(const protocol::SessionId& number, protocol::SessionKeys both, std::uint64_t next)
            : id(number), keys(std::move(both)), next_down(next) {}
        protocol::SessionId id;
        protocol::SessionKeys keys;
        std::uint64_t next_down;
    };

    const Clock& clock_;
    crypto::KeyPair key_;
    std::unique_ptr<crypto::Signer> signer_;
    protocol::KeyId kid_;
    DeviceId device_;
    std::optional<crypto::Verifier> credential_;
    protocol::KeyId credential_kid_{};
    std::optional<Session> session_;
    std::uint64_t last_hello_ms_ = 0;
};

}  // namespace jiaozi::device::test
