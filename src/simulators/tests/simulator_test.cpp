// What can be seen of a simulator without a server; with one: tests/functional/test_simulators.py.
#include <filesystem>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/simulators/fleet.hpp>
#include <jiaozi/simulators/simulator.hpp>

namespace jiaozi::simulators {
namespace {

class SimulatorTest : public testing::Test {
  protected:
    SimulatorTest() {
        const SystemClock clock;
        options_.device = crypto::new_id<DeviceId>(clock);
        folder_ = std::filesystem::temp_directory_path() / ("jiaozi-simulator-" + options_.device.to_string());
        options_.states = folder_;
        options_.url = "http://127.0.0.1:1";  // nothing listens there
    }
    ~SimulatorTest() override { std::filesystem::remove_all(folder_); }

    Result<std::unique_ptr<Simulator>> make() { return Simulator::create(io_, clock_, options_); }

    boost::asio::io_context io_;
    SystemClock clock_;
    Options options_;
    std::filesystem::path folder_;
};

TEST(SimulatorFaults, EachFaultOfTheInterfaceIsOneOfOurs) {
    EXPECT_EQ(faults_of(api::SandboxFault::none).device, device::Faults{});
    EXPECT_TRUE(faults_of(api::SandboxFault::fail_drop).device.fail_drop);
    EXPECT_TRUE(faults_of(api::SandboxFault::silent).device.silent);
    EXPECT_TRUE(faults_of(api::SandboxFault::nack).device.nack);
    EXPECT_TRUE(faults_of(api::SandboxFault::partial).device.partial);
}

TEST_F(SimulatorTest, KeepsItsKeyInAPrivateFolder) {
    ASSERT_TRUE(make().ok());
    const auto mode = std::filesystem::status(folder_).permissions();
    EXPECT_EQ(mode & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
              std::filesystem::perms::none);
    EXPECT_TRUE(std::filesystem::exists(folder_ / (options_.device.to_string() + ".state")));
    EXPECT_FALSE(Simulator::is_enrolled(folder_, options_.device));  // it has a key, and nobody knows it yet
}

TEST_F(SimulatorTest, DoesNotStartWithoutAOneTimeCode) {
    const auto simulator = make();
    ASSERT_TRUE(simulator.ok());
    const auto started = (*simulator)->start();
    ASSERT_FALSE(started.ok());
    EXPECT_EQ(started.error().kind(), ErrorKind::unauthenticated);
    EXPECT_EQ(started.error().param(), "code");
}

TEST_F(SimulatorTest, SaysThatNothingAnswersTheClaim) {
    options_.code = "AAAAA-AAAAA";
    const auto simulator = make();
    ASSERT_TRUE(simulator.ok());
    const auto started = (*simulator)->start();
    ASSERT_FALSE(started.ok());
    EXPECT_EQ(started.error().kind(), ErrorKind::unavailable);
}

TEST_F(SimulatorTest, ADamagedStateIsNotReplaced) {
    ASSERT_TRUE(make().ok());
    const auto file = folder_ / (options_.device.to_string() + ".state");
    std::ofstream(file) << "not a state";
    EXPECT_FALSE(make().ok());
    EXPECT_FALSE(Simulator::is_enrolled(folder_, options_.device));
}

TEST(Fleet, NeedsDevicesAndARate) {
    EXPECT_FALSE(run_fleet({}).ok());
    FleetOptions options;
    options.pairs.resize(1);
    options.per_second = 0;
    EXPECT_FALSE(run_fleet(options).ok());
}

}  // namespace
}  // namespace jiaozi::simulators
