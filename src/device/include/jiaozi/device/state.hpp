// What a device must not forget when its power is cut. DeviceClient changes data() and calls commit() before it lets
// the change have an effect outside: a command is on disk as begun before the motor turns.
//
// StateFile keeps it in one file (format: this folder's README.md), MemoryState nowhere: that is for load tests with
// many devices, and for tests that restart a client. Not thread-safe; one client per state, one process per file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/device/faults.hpp>
#include <jiaozi/protocol/messages.hpp>

namespace jiaozi::device {

// What the device knows since its claim was accepted.
struct Enrolment {
    crypto::Suite server_suite = crypto::Suite::ed25519;
    Bytes server_key;           // canonical form
    std::string mqtt_password;  // the user name is the device id's text
    Bytes certificate;          // by the server, over this device's key
};

// The numbers are stored: never renumber.
enum class CommandStage : std::uint8_t {
    refused = 1,  // answered no, or cancelled before it came: never delivered
    waiting,      // answered yes, its turn has not come
    begun,        // on disk before the motor turns; found at the start: the power was cut meanwhile
    done,         // the drop is known; the report waits for report_ack
    settled,      // and the report_ack came
};

struct CommandRecord {
    CommandStage stage = CommandStage::waiting;
    protocol::Command command;  // once settled or refused, only payment, number and quantity are kept
    Drop drop;                  // done, settled: the report. refused: detail says why
    std::uint64_t order = 0;    // the oldest finished record makes room for a new one
};

// The whole state. Limits hold for the file as well; DeviceClient stays within them.
struct StoredState {
    static constexpr std::size_t max_commands = 10'000;  // payments remembered; older outcomes are forgotten
    static constexpr std::size_t max_unpaid = 64;        // pay requests without an answer

    DeviceId device;
    crypto::KeyPair key;
    std::optional<crypto::KeyPair> next_key;  // a rotation under way: the server may know either
    std::optional<Enrolment> enrolment;
    std::uint64_t last_hello_ms = 0;
    std::vector<protocol::PayRequest> unpaid;  // oldest first
    std::unordered_map<PaymentId, CommandRecord> commands;
    std::uint64_t next_order = 1;
};

// The bytes of the file. decode: Error corrupt (damaged, or no state file), too_large, invalid (a later version).
Bytes encode_state(const StoredState& state);
Result<StoredState> decode_state(ByteView bytes);
inline constexpr std::size_t max_state_bytes = std::size_t{4} * 1024 * 1024;

class State {
  public:
    virtual ~State() = default;
    // Empty until the first client gave it a device id and a key.
    std::optional<StoredState>& data() noexcept { return data_; }
    // Durable when it returns. After an error the file holds what it held before.
    virtual Result<void> commit() = 0;

  protected:
    std::optional<StoredState> data_;
};

class MemoryState final : public State {
  public:
    Result<void> commit() override { return {}; }
};

class StateFile final : public State {
  public:
    // A file that does not exist is an empty state. Errors: corrupt, forbidden (mode wider than 0600, a symbolic link,
    // another owner), too_large, invalid (version), io. A damaged file is never replaced: a new key would need a new
    // claim, and forgotten commands could be delivered twice.
    static Result<std::unique_ptr<StateFile>> open(const std::filesystem::path& path);
    Result<void> commit() override;

  private:
    explicit StateFile(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

}  // namespace jiaozi::device
