// Where a device keeps what must survive a crash. One writer at a time.
#pragma once

#include <filesystem>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::device {

class Store {
  public:
    virtual ~Store() = default;
    // Empty: nothing was ever saved.
    virtual Result<Bytes> load() = 0;
    // When it returns ok, a crash finds these bytes; when it does not, these or the ones before.
    virtual Result<> save(ByteView bytes) = 0;
};

// A small file, mode 0600, written beside, synced and renamed.
class FileStore final : public Store {
  public:
    explicit FileStore(std::filesystem::path path) : path_(std::move(path)) {}
    Result<Bytes> load() override;
    Result<> save(ByteView bytes) override;

  private:
    std::filesystem::path path_;
};

// For load tests and tests: outlives the client, not the program.
class MemoryStore final : public Store {
  public:
    Result<Bytes> load() override { return bytes_; }
    Result<> save(ByteView bytes) override {
        bytes_ = to_bytes(bytes);
        return {};
    }

  private:
    Bytes bytes_;
};

}  // namespace jiaozi::device
