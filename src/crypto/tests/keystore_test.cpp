#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/keystore.hpp>

namespace jiaozi::crypto {
namespace {

namespace fs = std::filesystem;

class KeystoreFile : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "jiaozi-keystore-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        path_ = folder_ / "keys.jks";
        ASSERT_TRUE(KeystoreUnlock::create_key_file(folder_ / "unlock.key").ok());
    }
    void TearDown() override { fs::remove_all(folder_); }

    KeystoreUnlock by_file() const { return KeystoreUnlock::key_file(folder_ / "unlock.key").value(); }
    static KeystoreUnlock by_words(std::string_view words) {
        return KeystoreUnlock::passphrase(SecretBytes(as_bytes(words)), KdfStrength::interactive);
    }
    Bytes content() const {
        std::ifstream in(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void put(const Bytes& bytes) const {
        std::ofstream out(path_, std::ios::binary | std::ios::trunc);
        out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }

    fs::path folder_;
    fs::path path_;
};

TEST_F(KeystoreFile, KeepsKeysOfEverySuiteAcrossOpenings) {
    std::vector<Bytes> public_keys;
    {
        auto store = Keystore::create(path_, by_file()).value();
        for (const Suite suite : {Suite::ed25519, Suite::p256, Suite::sm2}) {
            const KeyPair key = generate_key(suite);
            public_keys.push_back(key.public_key);
            ASSERT_TRUE(store.add(name_of(suite), key).ok());
        }
        ASSERT_TRUE(store.add("token", EntryKind::secret, as_bytes("s3cret")).ok());
        ASSERT_TRUE(store.add("agree", EntryKind::x25519, Bytes(32, 5)).ok());
    }
    const auto store = Keystore::open(path_, by_file()).value();
    EXPECT_EQ(store.names(), (std::vector<std::string>{"agree", "ed25519", "p256", "sm2", "token"}));
    for (const Suite suite : {Suite::ed25519, Suite::p256, Suite::sm2}) {
        const auto signer = store.signer(name_of(suite)).value();
        EXPECT_TRUE(equal(signer->public_key(), public_keys[static_cast<std::size_t>(suite) - 1]));
        const Verifier verifier = make_verifier(suite, signer->public_key()).value();
        EXPECT_TRUE(verifier.verify(as_bytes("m"), signer->sign(as_bytes("m")).value()));
    }
    EXPECT_EQ(as_text(store.secret("token").value().view()), "s3cret");
    EXPECT_EQ(store.secret("sm2").error().kind(), ErrorKind::invalid);
    EXPECT_EQ(store.key("token").error().kind(), ErrorKind::invalid);
    EXPECT_EQ(store.key("nobody").error().kind(), ErrorKind::not_found);
}

TEST_F(KeystoreFile, OpensWithItsPassphraseOnly) {
    EXPECT_EQ(Keystore::create(path_, by_words("")).error().kind(), ErrorKind::invalid);
    {
        auto store = Keystore::create(path_, by_words("three dumplings")).value();
        ASSERT_TRUE(store.add("a", EntryKind::secret, as_bytes("x")).ok());
    }
    EXPECT_TRUE(Keystore::open(path_, by_words("three dumplings")).ok());
    EXPECT_EQ(Keystore::open(path_, by_words("four dumplings")).error().kind(), ErrorKind::unauthenticated);
    const auto other_way = Keystore::open(path_, by_file());
    EXPECT_EQ(other_way.error().kind(), ErrorKind::unauthenticated);
    EXPECT_NE(other_way.error().message().find("opens with a passphrase"), std::string::npos);
}

TEST_F(KeystoreFile, AnotherKeyFileIsToldFromADamagedKeystore) {
    ASSERT_TRUE(Keystore::create(path_, by_file()).ok());
    ASSERT_TRUE(KeystoreUnlock::create_key_file(folder_ / "other.key").ok());
    const auto other = KeystoreUnlock::key_file(folder_ / "other.key").value();
    EXPECT_EQ(Keystore::open(path_, other).error().kind(), ErrorKind::unauthenticated);

    const Bytes good = content();
    for (std::size_t at = 0; at < good.size(); ++at) {
        Bytes bad = good;
        bad[at] ^= 0x40;
        put(bad);
        const auto opened = Keystore::open(path_, by_file());
        ASSERT_FALSE(opened.ok()) << "byte " << at;
        EXPECT_EQ(opened.error().kind(), ErrorKind::corrupt) << "byte " << at;
    }
    for (std::size_t size = 0; size < good.size(); ++size) {
        put({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
        EXPECT_EQ(Keystore::open(path_, by_file()).error().kind(), ErrorKind::corrupt) << size << " bytes";
    }
    put(good);
    EXPECT_TRUE(Keystore::open(path_, by_file()).ok());
}

TEST_F(KeystoreFile, EntriesChangedByAHandThatAlsoFixedTheSumAreNoticed) {
    ASSERT_TRUE(Keystore::create(path_, by_file()).ok());
    const Bytes good = content();
    constexpr std::size_t magic_size = 16;
    codec::CborReader reader(ByteView(good).subspan(magic_size));
    ASSERT_TRUE(reader.array_of(3).ok());
    const Bytes header = to_bytes(reader.bytes().value());
    Bytes sealed = to_bytes(reader.bytes().value());
    sealed[0] ^= 1;
    Bytes covered(good.begin(), good.begin() + magic_size);
    append(covered, header);
    append(covered, sealed);
    codec::CborWriter item;
    item.array(3).bytes(header).bytes(sealed).bytes(sha256(covered));
    Bytes bad(good.begin(), good.begin() + magic_size);
    append(bad, item.view());
    put(bad);
    const auto opened = Keystore::open(path_, by_file());
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().kind(), ErrorKind::corrupt);
    EXPECT_NE(opened.error().message().find("changed outside"), std::string::npos);
}

TEST_F(KeystoreFile, NamesAndValuesAreChecked) {
    auto store = Keystore::create(path_, by_file()).value();
    for (const std::string& name : std::vector<std::string>{"", "A", "a b", "a/b", std::string(65, 'a')}) {
        EXPECT_EQ(store.add(name, EntryKind::secret, as_bytes("x")).error().kind(), ErrorKind::invalid) << name;
    }
    EXPECT_EQ(store.add("k", EntryKind::secret, {}).error().kind(), ErrorKind::invalid);
    EXPECT_EQ(store.add("k", EntryKind::secret, Bytes(4097)).error().kind(), ErrorKind::invalid);
    EXPECT_EQ(store.add("k", EntryKind::p256, Bytes(32, 0)).error().kind(), ErrorKind::invalid);
    EXPECT_EQ(store.add("k", EntryKind::ed25519, Bytes(31, 1)).error().kind(), ErrorKind::invalid);
    ASSERT_TRUE(store.add("k", EntryKind::secret, as_bytes("x")).ok());
    EXPECT_EQ(store.add("k", EntryKind::secret, as_bytes("y")).error().kind(), ErrorKind::conflict);
    EXPECT_EQ(as_text(store.secret("k").value().view()), "x");
    EXPECT_TRUE(store.remove("k").ok());
    EXPECT_EQ(store.remove("k").error().kind(), ErrorKind::not_found);
    EXPECT_TRUE(Keystore::open(path_, by_file()).value().names().empty());
}

TEST_F(KeystoreFile, OnlyItsOwnerMayReadIt) {
    ASSERT_TRUE(Keystore::create(path_, by_file()).ok());
    struct stat status{};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
    EXPECT_EQ(Keystore::open(path_, by_file()).error().kind(), ErrorKind::forbidden);
    ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
    EXPECT_TRUE(Keystore::open(path_, by_file()).ok());

    ASSERT_EQ(::chmod((folder_ / "unlock.key").c_str(), 0604), 0);
    EXPECT_EQ(KeystoreUnlock::key_file(folder_ / "unlock.key").error().kind(), ErrorKind::forbidden);
    fs::create_symlink(path_, folder_ / "link");
    EXPECT_EQ(KeystoreUnlock::key_file(folder_ / "link").error().kind(), ErrorKind::forbidden);
    EXPECT_EQ(KeystoreUnlock::key_file(folder_).error().kind(), ErrorKind::forbidden);
}

TEST_F(KeystoreFile, NothingIsOverwrittenOrLeftBehind) {
    auto store = Keystore::create(path_, by_file()).value();
    EXPECT_EQ(Keystore::create(path_, by_file()).error().kind(), ErrorKind::conflict);
    EXPECT_EQ(KeystoreUnlock::create_key_file(folder_ / "unlock.key").error().kind(), ErrorKind::conflict);
    EXPECT_EQ(Keystore::open(folder_ / "none", by_file()).error().kind(), ErrorKind::not_found);
    // A temporary file from a crash is in nobody's way.
    std::ofstream(path_.string() + ".tmp") << "torn";
    EXPECT_TRUE(store.add("k", EntryKind::secret, as_bytes("x")).ok());
    EXPECT_FALSE(fs::exists(path_.string() + ".tmp"));
    EXPECT_EQ(Keystore::open(path_, by_file()).value().names().size(), 1U);
}

TEST_F(KeystoreFile, AChangeThatCannotBeWrittenIsNotKeptInMemoryEither) {
    auto store = Keystore::create(path_, by_file()).value();
    ASSERT_TRUE(store.add("kept", EntryKind::secret, as_bytes("x")).ok());
    // A folder in the temporary file's place makes every write fail, for root too.
    fs::create_directory(path_.string() + ".tmp");
    EXPECT_EQ(store.add("new", EntryKind::secret, as_bytes("y")).error().kind(), ErrorKind::io);
    EXPECT_EQ(store.remove("kept").error().kind(), ErrorKind::io);
    EXPECT_EQ(store.names(), std::vector<std::string>{"kept"});
    EXPECT_EQ(Keystore::open(path_, by_file()).value().names(), std::vector<std::string>{"kept"});
}

}  // namespace
}  // namespace jiaozi::crypto
