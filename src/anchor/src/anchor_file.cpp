#include <array>
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <jiaozi/anchor/places.hpp>

#include "notes.hpp"

namespace jiaozi::anchor {
namespace {

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const noexcept { return number_; }

  private:
    int number_;
};

Result<std::string> read_all(int file, const std::string& path) {
    std::string text;
    std::array<char, 65'536> piece{};
    while (text.size() <= max_anchor_text_bytes) {
        const ssize_t got = ::pread(file, piece.data(), piece.size(), static_cast<off_t>(text.size()));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno_error("read " + path);
        if (got == 0) break;
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
    return text;
}

Result<> write_all(int file, std::string_view text, std::size_t offset, const std::string& path) {
    while (!text.empty()) {
        const ssize_t put = ::pwrite(file, text.data(), text.size(), static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return errno_error("write " + path);
        text.remove_prefix(static_cast<std::size_t>(put));
        offset += static_cast<std::size_t>(put);
    }
    if (::fsync(file) != 0) return errno_error("sync " + path);
    return {};
}

// So that a new file's name is durable too.
Result<> sync_folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path();
    const std::string name = folder.empty() ? "." : folder.string();
    const Descriptor opened(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.get() < 0 || ::fsync(opened.get()) != 0) return errno_error("sync " + name);
    return {};
}

}  // namespace

Result<bool> append_to_file(const std::string& path, const SignedCheckpoint& anchor, const proof::NoteKey& key) {
    const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (file.get() < 0) return errno_error("open " + path);
    // Two at once would each find it missing.
    if (::flock(file.get(), LOCK_EX) != 0) return errno_error("lock " + path);
    JZ_TRY(const std::string text, read_all(file.get(), path));
    const auto list = split_notes(text);
    if (!list.ok()) return Error(list.error()).in(path);
    JZ_TRY(const bool newer, follows(*list, anchor.checkpoint, key));
    if (!newer) return false;
    // Only what can be the beginning of one of our notes is a write of ours that was cut off.
    const std::string_view torn = std::string_view(text).substr(list->end);
    const std::string first_line = key.name + "\n";
    if (list->torn && torn.substr(0, first_line.size()) != std::string_view(first_line).substr(0, torn.size())) {
        return Error(ErrorKind::malformed, path + ": something that is no signed note of this log stands at offset " +
                                               std::to_string(list->end) + "; is it the right file?");
    }
    if (list->torn && ::ftruncate(file.get(), static_cast<off_t>(list->end)) != 0) return errno_error("cut " + path);
    JZ_CHECK(write_all(file.get(), anchor.note, list->end, path));
    JZ_CHECK(sync_folder_of(path));
    return true;
}

Result<bool> file_lacks(const std::string& path, const proof::Checkpoint& checkpoint, const proof::NoteKey& key) {
    const auto list = read_anchor_file(path);
    if (!list.ok() && list.error().kind() == ErrorKind::not_found) return true;
    if (!list.ok()) return list.error();
    return follows(*list, checkpoint, key);
}

Result<NoteList> read_anchor_file(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0 && errno == ENOENT) return Error(ErrorKind::not_found, "there is no file " + path);
    if (file.get() < 0) return errno_error("open " + path);
    JZ_TRY(const std::string text, read_all(file.get(), path));
    auto list = split_notes(text);
    if (!list.ok()) return std::move(list).error().in(path);
    return list;
}

}  // namespace jiaozi::anchor
