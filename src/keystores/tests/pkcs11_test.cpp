// Keys in a PKCS#11 token: SoftHSM2, a real module with a software token.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <jiaozi/keystores/pkcs11_key.hpp>

#include "pkcs11_module.hpp"
#include "software_token.hpp"

namespace jiaozi::keystores {
namespace {

using testing::SoftwareTokens;

crypto::SecretBytes secret(std::string_view text) {
    return crypto::SecretBytes(as_bytes(text));
}

class Pkcs11Test : public ::testing::TestWithParam<crypto::Suite> {
  protected:
    static constexpr const char* token = "jiaozi test";
    void SetUp() override {
        if (!SoftwareTokens::installed()) GTEST_SKIP() << "SKIPPED: softhsm2 is not installed (tools/install.sh test)";
        ASSERT_TRUE(SoftwareTokens::instance().ready()) << testing::text_of(SoftwareTokens::instance().log());
        const auto loaded = load_pkcs11(SoftwareTokens::module);
        ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
        api_ = *loaded;
    }
    // Ends every login of this process, so that a PIN is looked at again.
    void log_everybody_out() const {
        std::array<CK_SLOT_ID, 16> slots{};
        CK_ULONG count = slots.size();
        ASSERT_EQ(api_->C_GetSlotList(CK_TRUE, slots.data(), &count), CKR_OK);
        for (CK_ULONG i = 0; i < count; ++i) api_->C_CloseAllSessions(slots[i]);
    }
    static Pkcs11Location at(const std::string& key) { return {SoftwareTokens::module, token, key}; }

    CK_FUNCTION_LIST* api_ = nullptr;
};

TEST_P(Pkcs11Test, AKeyMadeInTheTokenSignsAndSurvivesALostSession) {
    const std::string label = "purse " + std::string(crypto::name_of(GetParam()));
    const auto made = create_pkcs11_key(at(label), secret("2468"), GetParam());
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    EXPECT_EQ(create_pkcs11_key(at(label), secret("2468"), GetParam()).error().kind(), ErrorKind::conflict);
    const auto key = open_pkcs11_key(at(label), secret("2468"));
    ASSERT_TRUE(key.ok()) << key.error().to_string();
    EXPECT_EQ((*key)->suite(), GetParam());
    const auto verifier = crypto::make_verifier((*key)->suite(), (*key)->public_key());
    ASSERT_TRUE(verifier.ok()) << verifier.error().to_string();
    for (int i = 0; i < 30; ++i) {
        if (i == 10) log_everybody_out();
        if (i == 20) {
            ASSERT_EQ(api_->C_Finalize(nullptr), CKR_OK);
        }
        const std::string message = "note " + std::to_string(i);
        const auto signature = (*key)->sign(as_bytes(message));
        ASSERT_TRUE(signature.ok()) << i << ": " << signature.error().to_string();
        EXPECT_TRUE(verifier->verify(as_bytes(message), *signature));
    }
}

INSTANTIATE_TEST_SUITE_P(Suites, Pkcs11Test, ::testing::Values(crypto::Suite::p256, crypto::Suite::ed25519),
                         [](const auto& suite) { return std::string(crypto::name_of(suite.param)); });

class Pkcs11Errors : public Pkcs11Test {};

TEST_F(Pkcs11Errors, SayWhatToDo) {
    ASSERT_TRUE(create_pkcs11_key(at("for errors"), secret("2468"), crypto::Suite::p256).ok());
    log_everybody_out();
    const struct {
        const char* what;
        Pkcs11Location location;
        const char* pin;
        ErrorKind kind;
        const char* words;
    } cases[] = {
        {"wrong PIN", at("for errors"), "1111", ErrorKind::unauthenticated, "wrong PIN"},
        {"no PIN", at("for errors"), "", ErrorKind::unauthenticated, "a PIN is needed"},
        {"no such key", at("for nobody"), "2468", ErrorKind::not_found, "no key labelled 'for nobody'"},
        {"no such token", {SoftwareTokens::module, "absent", "x"}, "2468", ErrorKind::not_found, "put it in"},
        {"no such module",
         {"/usr/lib/no-such-module.so", token, "x"},
         "2468",
         ErrorKind::not_found,
         "no-such-module.so"},
        {"not a module",
         {"/lib/x86_64-linux-gnu/libc.so.6", token, "x"},
         "2468",
         ErrorKind::invalid,
         "not a PKCS#11 module"},
        {"relative path", {"libsofthsm2.so", token, "x"}, "2468", ErrorKind::invalid, "whole path"},
    };
    for (const auto& test : cases) {
        const auto key = open_pkcs11_key(test.location, secret(test.pin));
        ASSERT_FALSE(key.ok()) << test.what;
        EXPECT_EQ(key.error().kind(), test.kind) << key.error().to_string();
        EXPECT_NE(key.error().message().find(test.words), std::string::npos) << key.error().message();
        EXPECT_EQ(key.error().message().find("2468"), std::string::npos) << "a PIN in a message";
        log_everybody_out();
    }
    EXPECT_EQ(create_pkcs11_key(at("sm2"), secret("2468"), crypto::Suite::sm2).error().kind(), ErrorKind::invalid);
}

// SoftHSM never locks; what other tokens answer is a table.
TEST_F(Pkcs11Errors, LockedTokens) {  // attack 38
    const auto locked = pkcs11_check(CKR_PIN_LOCKED, "log in");
    EXPECT_EQ(locked.error().code(), "pin_locked");
    EXPECT_EQ(locked.error().kind(), ErrorKind::forbidden);
    EXPECT_EQ(pin_warning(0), "");
    EXPECT_EQ(pin_warning(CKF_USER_PIN_COUNT_LOW), "few tries are left before the token locks");
    EXPECT_EQ(pin_warning(CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_COUNT_LOW), "one try is left before the token locks");
    EXPECT_EQ(pin_warning(CKF_USER_PIN_LOCKED), "the token is locked; its security officer can unlock it");
}

TEST_F(Pkcs11Errors, AKeyThatCouldLeaveIsRefused) {
    const auto session = Pkcs11Session::open(SoftwareTokens::module, token, secret("2468"));
    ASSERT_TRUE(session.ok());
    const Bytes curve = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
    Attributes public_part;
    public_part.number(CKA_KEY_TYPE, CKK_EC).bytes(CKA_EC_PARAMS, curve).flag(CKA_TOKEN, true);
    public_part.bytes(CKA_LABEL, as_bytes("loose")).bytes(CKA_ID, as_bytes("loose"));
    Attributes private_part;
    private_part.number(CKA_KEY_TYPE, CKK_EC).flag(CKA_TOKEN, true).flag(CKA_SIGN, true).flag(CKA_EXTRACTABLE, true);
    private_part.bytes(CKA_LABEL, as_bytes("loose")).bytes(CKA_ID, as_bytes("loose"));
    auto public_list = public_part.list();
    auto private_list = private_part.list();
    CK_MECHANISM generate{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    CK_OBJECT_HANDLE first = 0;
    CK_OBJECT_HANDLE second = 0;
    ASSERT_EQ(api_->C_GenerateKeyPair((*session)->handle(), &generate, public_list.data(), public_list.size(),
                                      private_list.data(), private_list.size(), &first, &second),
              CKR_OK);
    const auto key = open_pkcs11_key(at("loose"), secret("2468"));
    ASSERT_FALSE(key.ok());
    EXPECT_EQ(key.error().code(), "key_may_leave");
}

}  // namespace
}  // namespace jiaozi::keystores
