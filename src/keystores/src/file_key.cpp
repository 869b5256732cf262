#include <jiaozi/keystores/file_key.hpp>

namespace jiaozi::keystores {
namespace {

class FileKey final : public PurseKey {
  public:
    explicit FileKey(std::unique_ptr<crypto::Signer> signer) : signer_(std::move(signer)) {}
    crypto::Suite suite() const noexcept override { return signer_->suite(); }
    ByteView public_key() const noexcept override { return signer_->public_key(); }
    Result<crypto::Signature> sign(ByteView message) const override { return signer_->sign(message); }
    Assurance assurance() const noexcept override { return Assurance::a0; }
    MonotonicCounter* counter() noexcept override { return nullptr; }

  private:
    std::unique_ptr<crypto::Signer> signer_;
};

}  // namespace

Result<std::unique_ptr<PurseKey>> open_file_key(const crypto::Keystore& keystore, std::string_view name) {
    JZ_TRY(auto signer, keystore.signer(name));
    return std::unique_ptr<PurseKey>(std::make_unique<FileKey>(std::move(signer)));
}

}  // namespace jiaozi::keystores
