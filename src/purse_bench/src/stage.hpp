// A settlement service of its own with enrolled and loaded purses, over a real journal in a directory under the
// system's temporary one, which goes with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include <jiaozi/api/stepped_app_thread.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/settlement/settlement.hpp>

namespace jiaozi::purse_bench {

class Stage {
  public:
    struct Purse {
        std::uint32_t ordinal = 0;
        crypto::KeyPair key;
        purse::Id lot{};
    };
    static constexpr std::uint64_t lot_amount = 200'000;
    static constexpr std::uint64_t note_amount = 10;

    // Purse 0 is the merchant that the others pay.
    static Result<std::unique_ptr<Stage>> make(crypto::Suite suite, std::size_t purses, settlement::Options options);
    ~Stage();
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    settlement::Settlement& settlement() { return *settlement_; }
    api::SteppedAppThread& app() { return app_; }
    const std::filesystem::path& directory() const { return directory_; }
    const std::vector<Purse>& purses() const { return purses_; }
    // The `nth` note of a purse, to the merchant, counted from 0.
    Bytes note(std::size_t purse, std::uint32_t nth) const;

  private:
    Stage() = default;
    Result<> open(crypto::Suite suite, settlement::Options options);
    Result<> enrol(crypto::Suite suite, std::size_t purses);
    Result<> wait(const std::size_t& done, std::size_t target);

    std::filesystem::path directory_;
    SystemClock clock_;
    api::SteppedAppThread app_;
    std::unique_ptr<engine::Engine> engine_;
    std::unique_ptr<purse_host::PurseSigner> issuer_;
    std::unique_ptr<settlement::Settlement> settlement_;
    std::vector<Purse> purses_;
    std::optional<Error> failure_;
};

}  // namespace jiaozi::purse_bench
