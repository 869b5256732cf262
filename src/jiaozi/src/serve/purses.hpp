// Offline purses in `serve`: the issuing keys, the service that settles, and the timer that does what is due.
// Application thread only.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/keystore.hpp>
#include <jiaozi/purse_host/platform.hpp>
#include <jiaozi/settlement/errands.hpp>
#include <jiaozi/settlement/projector.hpp>
#include <jiaozi/settlement/settlement.hpp>

namespace jiaozi::serve {

using IssuerKeys = std::vector<std::unique_ptr<purse_host::PurseSigner>>;

// One key for each suite, from the keystore's entries `purse-issuer-…`; made at the first start.
Result<IssuerKeys> purse_issuer_keys(crypto::Keystore& keystore);

// What mules bring is sealed to: from the keystore's entry `purse-deposit`; made at the first start.
Result<settlement::MuleOpener> purse_mule_opener(crypto::Keystore& keystore);

class Purses {
  public:
    // All must outlive it.
    struct Parts {
        engine::Engine& engine;
        registry::Store& store;
        api::EventSignal& events;
        api::AppThread& app;
        const Clock& clock;
        std::filesystem::path directory;  // the engine's: where its book is kept
    };
    // Reads the journal behind the newest book.
    static Result<std::unique_ptr<Purses>> start(const Parts& parts, IssuerKeys keys, settlement::MuleOpener mules);
    ~Purses();
    Purses(const Purses&) = delete;
    Purses& operator=(const Purses&) = delete;

    settlement::Settlement& settlement() { return *settlement_; }
    const settlement::Settlement& settlement() const { return *settlement_; }
    settlement::Projector& projector() { return *projector_; }
    api::PurseErrands& errands() { return *errands_; }
    // Does what is due now: the clock has been moved.
    void wake();

  private:
    Purses(api::AppThread& app, IssuerKeys keys, settlement::MuleOpener mules)
        : app_(app), keys_(std::move(keys)), mules_(std::move(mules)) {}
    void tick();

    api::AppThread& app_;
    IssuerKeys keys_;
    settlement::MuleOpener mules_;
    std::unique_ptr<settlement::Projector> projector_;
    std::unique_ptr<settlement::Settlement> settlement_;
    std::optional<settlement::Errands> errands_;
    api::AppThread::TimerId timer_ = 0;
    bool advancing_ = false;
};

}  // namespace jiaozi::serve
