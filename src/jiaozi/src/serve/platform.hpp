// The composition root: makes every part, in the order they need each other, and ends them in the reverse order.
// Touched only by `jiaozi serve`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>

#include "options.hpp"

namespace jiaozi::serve {

class Demo;

// Where the outside finds us.
struct Addresses {
    std::string url;  // http://127.0.0.1:8080
    std::string mqtt_host;
    std::uint16_t mqtt_port = 0;
};

class Platform {
  public:
    // Ready to serve when it returns; io's thread must call it, and then run io.
    static Result<std::unique_ptr<Platform>> start(boost::asio::io_context& io, const ServeOptions& options);
    ~Platform();
    Platform(const Platform&) = delete;
    Platform& operator=(const Platform&) = delete;

    const Addresses& addresses() const noexcept;
    // The key in operator.key, for the console of a demo only.
    const std::string& operator_key() const noexcept;
    // Takes no more requests; answers under way go out while io still runs.
    void stop_taking_requests();

  private:
    struct Parts;
    explicit Platform(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace jiaozi::serve
