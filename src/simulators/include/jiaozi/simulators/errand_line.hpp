// Errands of a purse over the broker connection of a device that has claimed before: the device's key and session, and
// nothing else of it; commands that come meanwhile are refused. For `jiaozi purse sync --device-state`.
//
// Blocking: its io_context runs inside of run(). One thread; one process per state file. Errors: not_found (the folder
// has no enrolled device of that id), those of device::StateFile and device::DeviceClient.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/model/ids.hpp>

namespace jiaozi::simulators {

struct ErrandLineOptions {
    std::filesystem::path states;  // as in Options
    DeviceId device;
    std::string mqtt_host = "127.0.0.1";
    std::uint16_t mqtt_port = 1883;
};

class ErrandLine {
  public:
    // `clock` must outlive it.
    static Result<std::unique_ptr<ErrandLine>> open(const ErrandLineOptions& options, const Clock& clock);
    ~ErrandLine();
    ErrandLine(const ErrandLine&) = delete;
    ErrandLine& operator=(const ErrandLine&) = delete;

    // Waits through cuts and restarts of broker and server, and goes on where the server is. Errors: timeout (it may
    // have been done: the same again is the same), declined with the server's words, too_large.
    Result<Bytes> run(const Bytes& errand, Duration patience);

  private:
    class Impl;
    explicit ErrandLine(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace jiaozi::simulators
