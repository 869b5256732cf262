// The state file: whole or refused.
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/device/state.hpp>

#include "bench.hpp"

namespace jiaozi::device::test {
namespace {

namespace fs = std::filesystem;

CommandRecord record(std::uint64_t number, CommandStage stage) {
    CommandRecord out;
    out.stage = stage;
    out.command.payment = payment(number);
    out.command.quantity = 3;
    out.order = number;
    if (stage == CommandStage::waiting || stage == CommandStage::begun) {
        out.command.slot = 2;
        out.command.amount = 900;
        out.command.asset = "CNY";
        out.command.expires_ms = 1'700'000'000'000;
        out.command.product = ProductId(5);
    } else if (stage == CommandStage::refused) {
        out.drop.detail = "busy";
    } else {
        out.drop = {DeliveryResult::partial, 1, {}};
    }
    return out;
}

StoredState full_state(crypto::Suite suite = crypto::Suite::ed25519) {
    StoredState state;
    state.device = bench_device;
    state.key = crypto::generate_key(suite);
    state.next_key = crypto::generate_key(crypto::Suite::p256);
    state.enrolment = Enrolment{crypto::Suite::ed25519, crypto::generate_key(crypto::Suite::ed25519).public_key, "pass",
                                Bytes(200, 7)};
    state.last_hello_ms = 1'700'000'000'123;
    state.unpaid.push_back(scanned(100));
    protocol::PayRequest by_device;
    by_device.payment = payment(101);
    by_device.kind = PaymentKind::device;
    by_device.slot = 9;
    by_device.amount = 0;
    by_device.asset = "USDC";
    by_device.machine = DeviceId(4);
    state.unpaid.push_back(by_device);
    std::uint64_t number = 1;
    for (const auto stage : {CommandStage::refused, CommandStage::waiting, CommandStage::begun, CommandStage::done,
                             CommandStage::settled}) {
        state.commands.emplace(payment(number), record(number, stage));
        ++number;
    }
    state.next_order = number;
    return state;
}

void expect_same(const StoredState& left, const StoredState& right) {
    EXPECT_EQ(left.device, right.device);
    EXPECT_TRUE(equal(left.key.private_key.view(), right.key.private_key.view()));
    EXPECT_EQ(left.key.public_key, right.key.public_key);
    ASSERT_EQ(left.next_key.has_value(), right.next_key.has_value());
    ASSERT_EQ(left.enrolment.has_value(), right.enrolment.has_value());
    if (left.enrolment) {
        EXPECT_EQ(left.enrolment->server_key, right.enrolment->server_key);
        EXPECT_EQ(left.enrolment->mqtt_password, right.enrolment->mqtt_password);
        EXPECT_EQ(left.enrolment->certificate, right.enrolment->certificate);
    }
    EXPECT_EQ(left.last_hello_ms, right.last_hello_ms);
    EXPECT_EQ(left.unpaid, right.unpaid);
    ASSERT_EQ(left.commands.size(), right.commands.size());
    for (const auto& [id, one] : left.commands) {
        const auto& other = right.commands.at(id);
        EXPECT_EQ(one.stage, other.stage);
        EXPECT_EQ(one.command, other.command);
        EXPECT_EQ(one.drop, other.drop);
    }
}

// A file with a right checksum around this body.
Bytes framed(ByteView body, std::string_view magic = "JIAOZI-DEVSTATE1") {
    codec::CborWriter item;
    item.array(2).bytes(body).bytes(crypto::Sha256().update(as_bytes(magic)).update(body).finish());
    Bytes out = to_bytes(as_bytes(magic));
    append(out, item.view());
    return out;
}

void put(const fs::path& path, ByteView bytes, mode_t mode = 0600) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    out.close();
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
}

TEST(State, IsReadAsItWasWritten) {
    for (const auto suite : {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2}) {
        const StoredState state = full_state(suite);
        const Bytes bytes = encode_state(state);
        const auto read = decode_state(bytes);
        ASSERT_TRUE(read.ok()) << read.error().to_string();
        expect_same(state, *read);
        EXPECT_EQ(encode_state(*read), bytes) << "one state, one encoding";
    }
    StoredState least;
    least.device = bench_device;
    least.key = crypto::generate_key(crypto::Suite::sm2);
    const auto read = decode_state(encode_state(least));
    ASSERT_TRUE(read.ok());
    expect_same(least, *read);
}

TEST(State, EveryTornOrChangedFileIsRefused) {
    const Bytes bytes = encode_state(full_state());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto read = decode_state(ByteView(bytes).first(size));
        ASSERT_FALSE(read.ok()) << size;
        ASSERT_EQ(read.error().kind(), ErrorKind::corrupt);
    }
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        Bytes changed = bytes;
        changed[at] ^= 0x01;
        const auto read = decode_state(changed);
        ASSERT_FALSE(read.ok()) << at;
        ASSERT_EQ(read.error().kind(), at == 15 ? ErrorKind::invalid : ErrorKind::corrupt) << at;
    }
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_EQ(decode_state(longer).error().kind(), ErrorKind::corrupt);
    EXPECT_EQ(decode_state(Bytes(max_state_bytes + 1)).error().kind(), ErrorKind::too_large);
}

TEST(State, ContentThatWeNeverWriteIsRefusedEvenWithARightChecksum) {
    EXPECT_EQ(decode_state(framed({})).error().kind(), ErrorKind::corrupt);
    EXPECT_EQ(decode_state(framed(Bytes{0xA0})).error().kind(), ErrorKind::corrupt);
    EXPECT_EQ(decode_state(framed(Bytes{0xA0}, "JIAOZI-DEVSTATE2")).error().kind(), ErrorKind::invalid);
    const auto refused = [](const StoredState& state) {
        const auto read = decode_state(encode_state(state));
        return !read.ok() && read.error().kind() == ErrorKind::corrupt;
    };
    const auto with = [](auto change) {
        StoredState state = full_state();
        change(state);
        return state;
    };
    EXPECT_TRUE(refused(with([](auto& s) { s.device = {}; })));
    EXPECT_TRUE(refused(with([](auto& s) { s.key.private_key = crypto::SecretBytes(31); })));
    EXPECT_TRUE(refused(with([](auto& s) { s.enrolment->server_key.pop_back(); })));
    EXPECT_TRUE(refused(with([](auto& s) { s.enrolment->mqtt_password.assign(65, 'p'); })));
    EXPECT_TRUE(refused(with([](auto& s) { s.unpaid.push_back(s.unpaid.front()); })));
    EXPECT_TRUE(refused(with([](auto& s) { s.unpaid.front().kind = PaymentKind::person; })));
    EXPECT_TRUE(refused(with([](auto& s) { s.commands.at(payment(5)).drop.units = 3; })));
    EXPECT_TRUE(refused(with([](auto& s) { s.commands.at(payment(5)).drop.result = DeliveryResult{9}; })));
    EXPECT_TRUE(refused(with([](auto& s) { s.commands.at(payment(1)).stage = CommandStage{9}; })));
}

TEST(State, TheLargestOneFitsItsLimits) {
    StoredState state = full_state();
    state.commands.clear();
    for (std::uint64_t i = 1; i <= StoredState::max_commands; ++i) {
        CommandRecord each = record(i, CommandStage::done);
        each.drop.detail.assign(64, 'x');
        state.commands.emplace(payment(i), std::move(each));
    }
    const Bytes bytes = encode_state(state);
    EXPECT_LE(bytes.size(), max_state_bytes);
    RecordProperty("bytes", static_cast<int>(bytes.size()));
    ASSERT_TRUE(decode_state(bytes).ok());
    for (auto& [id, each] : state.commands) each = record(each.order, CommandStage::begun);
    ASSERT_TRUE(decode_state(encode_state(state)).ok()) << "and with the most fields";
}

TEST(StateFile, IsPrivateAndReplacedWhole) {
    Folder folder;
    auto file = StateFile::open(folder.file());
    ASSERT_TRUE(file.ok());
    EXPECT_FALSE((*file)->data().has_value());
    EXPECT_FALSE(fs::exists(folder.file()));
    (*file)->data() = full_state();
    put(folder.file().string() + ".tmp", as_bytes("left over from a crash"));
    ASSERT_TRUE((*file)->commit().ok());
    struct stat status{};
    ASSERT_EQ(::stat(folder.file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    EXPECT_FALSE(fs::exists(folder.file().string() + ".tmp"));
    (*file)->data()->last_hello_ms = 5;
    ASSERT_TRUE((*file)->commit().ok());
    EXPECT_EQ(StateFile::open(folder.file()).value()->data()->last_hello_ms, 5U);
}

TEST(StateFile, ThatCannotBeTrustedIsRefusedAndLeftAlone) {
    struct Case {
        const char* name;
        std::function<void(const fs::path&)> make;
        ErrorKind kind;
        const char* says;
    };
    const Bytes good = encode_state(full_state());
    const std::vector<Case> cases{
        {"empty", [](const auto& p) { put(p, {}); }, ErrorKind::corrupt, "is empty"},
        {"torn", [&](const auto& p) { put(p, ByteView(good).first(good.size() / 2)); }, ErrorKind::corrupt,
         "cut short or damaged"},
        {"other content", [](const auto& p) { put(p, as_bytes("#!/bin/sh\necho this is a script")); },
         ErrorKind::corrupt, "no device state file"},
        {"readable by others", [&](const auto& p) { put(p, good, 0640); }, ErrorKind::forbidden, "chmod 600"},
        {"too large", [](const auto& p) { put(p, Bytes(max_state_bytes + 1)); }, ErrorKind::too_large, "more than"},
        {"folder", [](const auto& p) { fs::create_directory(p); }, ErrorKind::forbidden, "not a regular file"},
        {"link",
         [&](const auto& p) {
             put(p.string() + ".real", good);
             fs::create_symlink(p.string() + ".real", p);
         },
         ErrorKind::forbidden, "symbolic link"},
    };
    for (const auto& [name, make, kind, says] : cases) {
        SCOPED_TRACE(name);
        Folder folder;
        make(folder.file());
        const auto file = StateFile::open(folder.file());
        ASSERT_FALSE(file.ok());
        EXPECT_EQ(file.error().kind(), kind);
        EXPECT_NE(file.error().message().find(says), std::string::npos) << file.error().message();
        EXPECT_NE(file.error().message().find(folder.file().string()), std::string::npos) << "names the file";
        EXPECT_TRUE(fs::exists(folder.file()));
    }
}

TEST(StateFile, KeepsTheOldContentWhenItCannotWrite) {
    Folder folder;
    auto file = StateFile::open(folder.file()).value();
    file->data() = full_state();
    ASSERT_TRUE(file->commit().ok());
    fs::create_directory(folder.file().string() + ".tmp");  // in the way
    file->data()->last_hello_ms = 9;
    EXPECT_EQ(file->commit().error().kind(), ErrorKind::io);
    EXPECT_EQ(StateFile::open(folder.file()).value()->data()->last_hello_ms, 1'700'000'000'123U);
}

}  // namespace
}  // namespace jiaozi::device::test
