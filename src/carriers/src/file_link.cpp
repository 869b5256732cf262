// A folder as a carrier: `to-payee-000001.jzpm`, … . A file appears whole (written beside and renamed) and is removed
// by whoever took it, so that a folder may be a disk that is carried to and fro.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <jiaozi/carriers/framing.hpp>
#include <jiaozi/crypto/private_file.hpp>

#include "links.hpp"

namespace jiaozi::carriers {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view suffix = ".jzpm";
constexpr std::size_t digits = 6;
constexpr std::uint32_t highest = 999'999;
constexpr int look_again_ms = 50;

class FolderLink final : public Link {
  public:
    FolderLink(fs::path folder, Side side)
        : folder_(std::move(folder)),
          out_(side == Side::payer ? "to-payee-" : "to-payer-"),
          in_(side == Side::payer ? "to-payer-" : "to-payee-") {}

    Result<void> send(ByteView message) override {
        JZ_TRY(const Bytes file, write_message_file(message));
        JZ_TRY(const auto numbers, numbers_of(out_));
        last_sent_ = std::max(last_sent_, numbers.empty() ? 0 : numbers.back());
        if (last_sent_ >= highest) return Error(ErrorKind::too_large, folder_.string() + " is full; take an empty one");
        ++last_sent_;
        return crypto::write_private_file(path_of(out_, last_sent_), file, crypto::Existing::refuse);
    }

    Result<Bytes> receive(Duration patience) override {
        const Deadline deadline(patience);
        while (true) {
            JZ_TRY(const auto numbers, numbers_of(in_));
            if (!numbers.empty()) return take(path_of(in_, numbers.front()));
            if (deadline.passed()) return nothing_came();
            ::poll(nullptr, 0, std::min(look_again_ms, deadline.left_ms()));
        }
    }

  private:
    fs::path path_of(std::string_view prefix, std::uint32_t number) const {
        const std::string text = std::to_string(number);
        return folder_ / (std::string(prefix) + std::string(digits - text.size(), '0') + text + std::string(suffix));
    }

    // Ascending.
    Result<std::vector<std::uint32_t>> numbers_of(std::string_view prefix) const {
        std::vector<std::uint32_t> numbers;
        std::error_code error;
        for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
            const std::string name = entry->path().filename().string();
            const std::string_view view(name);
            if (view.size() != prefix.size() + digits + suffix.size() || !view.starts_with(prefix) ||
                !view.ends_with(suffix)) {
                continue;
            }
            std::uint32_t number = 0;
            const char* const first = view.data() + prefix.size();
            const auto [stop, wrong] = std::from_chars(first, first + digits, number);
            if (wrong == std::errc() && stop == first + digits) numbers.push_back(number);
        }
        if (error) return Error(ErrorKind::unavailable, folder_.string() + ": " + error.message());
        std::ranges::sort(numbers);
        return numbers;
    }

    // Removed also if it is no message: it would be in the way for ever.
    static Result<Bytes> take(const fs::path& path) {
        Bytes content(max_message_file + 1);
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (file < 0) return errno_error("open " + path.string());
        const ssize_t size = ::read(file, content.data(), content.size());
        ::close(file);
        if (size < 0) return errno_error("read " + path.string());
        content.resize(static_cast<std::size_t>(size));
        std::error_code ignored;
        fs::remove(path, ignored);
        auto message = read_message_file(content);
        if (!message.ok()) return std::move(message).error().in(path.string());
        return message;
    }

    fs::path folder_;
    std::string out_;
    std::string in_;
    std::uint32_t last_sent_ = 0;
};

}  // namespace

Result<std::unique_ptr<Link>> open_folder(const std::string& folder, Side side) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return Error(ErrorKind::unavailable, folder + ": " + error.message());
    return std::unique_ptr<Link>(std::make_unique<FolderLink>(folder, side));
}

}  // namespace jiaozi::carriers
