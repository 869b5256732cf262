#include "purses.hpp"

#include <algorithm>

#include <jiaozi/base/log.hpp>

namespace jiaozi::serve {
namespace {

// Deadlines are days away; what a payment waits for does not wait for this.
constexpr Duration advance_every = seconds(5);

}  // namespace

Result<IssuerKeys> purse_issuer_keys(crypto::Keystore& keystore) {
    IssuerKeys keys;
    const auto names = keystore.names();
    for (const auto suite : {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2}) {
        const std::string name = "purse-issuer-" + std::string(crypto::name_of(suite));
        if (std::ranges::find(names, name) == names.end()) {
            JZ_CHECK(keystore.add(name, crypto::generate_key(suite)));
        }
        JZ_TRY(auto signer, keystore.signer(name));
        keys.push_back(purse_host::key_signer(std::move(signer)));
    }
    return keys;
}

Result<settlement::MuleOpener> purse_mule_opener(crypto::Keystore& keystore) {
    JZ_TRY(const crypto::SecretBytes secret, keystore.secret_or_new("purse-deposit", crypto::x25519_key_size));
    return settlement::MuleOpener::make(secret.view());
}

Result<std::unique_ptr<Purses>> Purses::start(const Parts& given, IssuerKeys keys, settlement::MuleOpener mules) {
    std::unique_ptr<Purses> purses(new Purses(given.app, std::move(keys), std::move(mules)));
    JZ_TRY(purses->projector_, settlement::Projector::start(given.store, &given.events));
    settlement::Parts parts{given.engine,    given.app,      given.clock, {}, purses->projector_.get(),
                            &purses->mules_, given.directory};
    for (const auto& key : purses->keys_) parts.issuers.push_back(key.get());
    JZ_TRY(purses->settlement_, settlement::Settlement::recover(parts));
    purses->errands_.emplace(*purses->settlement_, given.clock);
    purses->tick();
    return purses;
}

Purses::~Purses() {
    app_.cancel(timer_);
}

void Purses::tick() {
    wake();
    timer_ = app_.call_after(advance_every, [this] { tick(); });
}

void Purses::wake() {
    if (std::exchange(advancing_, true)) return;
    settlement_->advance([this](Result<std::uint32_t> done) {
        advancing_ = false;
        if (!done.ok()) log::debug("offline purses: nothing is done", {{"cause", done.error().to_string()}});
    });
}

}  // namespace jiaozi::serve
