// Codes on a screen, and a scanner that types what it reads.
#include <cerrno>
#include <deque>
#include <filesystem>
#include <fstream>
#include <ostream>

#include <unistd.h>

#include <jiaozi/carriers/qr.hpp>

#include "links.hpp"

namespace jiaozi::carriers {
namespace {

constexpr std::size_t longest_line = 512;

class CodeLink final : public Link {
  public:
    CodeLink(std::filesystem::path folder, Terminal terminal) : folder_(std::move(folder)), terminal_(terminal) {}

    Result<void> send(ByteView message) override {
        JZ_TRY(const auto parts, split_for_qr(message));
        for (std::size_t i = 0; i < parts.size(); ++i) {
            JZ_TRY(const QrImage image, draw_qr(parts[i]));
            if (terminal_.screen != nullptr) {
                *terminal_.screen << qr_as_text(image) << i + 1 << '/' << parts.size() << '\n' << std::flush;
            }
            if (!folder_.empty()) JZ_CHECK(write_image(image, i + 1));
        }
        ++messages_;
        return {};
    }

    // Lines that are no parts (a scanner reads every code it sees) are passed over.
    Result<Bytes> receive(Duration patience) override {
        const Deadline deadline(patience);
        while (true) {
            const std::size_t end = typed_.find('\n');
            if (end == std::string::npos) {
                JZ_CHECK(read_some(deadline));
                continue;
            }
            std::string line = typed_.substr(0, end);
            typed_.erase(0, end + 1);
            while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
            auto message = collector_.add(line);
            if (!message.ok()) continue;
            if (message->has_value()) return std::move(**message);
            if (terminal_.screen != nullptr) {
                *terminal_.screen << collector_.parts_seen() << '/' << collector_.parts_wanted() << '\n' << std::flush;
            }
        }
    }

  private:
    Result<void> write_image(const QrImage& image, std::size_t part) const {
        const auto path = folder_ / (std::to_string(messages_ + 1) + "-" + std::to_string(part) + ".pgm");
        const Bytes pixels = qr_as_pgm(image);
        std::ofstream file(path, std::ios::binary | std::ios::trunc);
        file.write(reinterpret_cast<const char*>(pixels.data()), static_cast<std::streamsize>(pixels.size()));
        if (!file.flush()) return Error(ErrorKind::io, path.string() + " can't be written");
        return {};
    }

    Result<void> read_some(const Deadline& deadline) {
        JZ_TRY(const bool readable, wait_readable(terminal_.scanner, deadline.left_ms()));
        if (!readable) return nothing_came();
        char buffer[512];
        const ssize_t got = ::read(terminal_.scanner, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) return {};
        if (got < 0) return errno_error("read from the scanner");
        if (got == 0) return Error(ErrorKind::unavailable, "the scanner's input has ended");
        typed_.append(buffer, static_cast<std::size_t>(got));
        if (typed_.size() > longest_line && typed_.find('\n') == std::string::npos) typed_.clear();
        return {};
    }

    std::filesystem::path folder_;
    Terminal terminal_;
    QrCollector collector_;
    std::string typed_;
    std::size_t messages_ = 0;
};

}  // namespace

Result<std::unique_ptr<Link>> open_codes(const std::string& folder, const Terminal& terminal) {
    if (!folder.empty()) {
        std::error_code error;
        std::filesystem::create_directories(folder, error);
        if (error) return Error(ErrorKind::unavailable, folder + ": " + error.message());
    }
    return std::unique_ptr<Link>(std::make_unique<CodeLink>(folder, terminal));
}

}  // namespace jiaozi::carriers
