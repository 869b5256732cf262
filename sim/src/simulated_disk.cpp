#include <algorithm>
#include <array>
#include <utility>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/sim/simulated_disk.hpp>

namespace jiaozi::sim {

namespace {

std::string parent_of(const std::string& path) {
    return std::filesystem::path(path).parent_path().string();
}

Error no_power(const std::string& doing) {
    return {ErrorKind::io, doing + ": the simulated machine has lost its power, or this handle is from before"};
}

bool is_error(Fate fate) {
    return fate == Fate::fail || fate == Fate::no_space;
}

}  // namespace

std::string_view name_of(Operation operation) noexcept {
    static constexpr std::array<std::string_view, 9> names = {
        "write", "sync", "preallocate", "truncate", "create", "rename", "remove", "make_directory", "sync_directory"};
    return names[static_cast<std::size_t>(operation)];
}

// A handle: of one life of the process.
class SimulatedFile final : public storage::File {
  public:
    SimulatedFile(SimulatedDisk& disk, SimulatedDisk::InodePtr inode, std::string path, std::uint64_t epoch,
                  bool writable)
        : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), epoch_(epoch), writable_(writable) {}

    Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) override {
        return disk_.read(epoch_, *inode_, offset, into);
    }
    Result<> write_at(std::uint64_t offset, std::span<const ByteView> parts) override {
        JZ_ASSERT(writable_);
        return disk_.write(epoch_, inode_, path_, offset, parts);
    }
    Result<> sync_data() override { return disk_.sync(epoch_, *inode_, path_); }
    Result<> sync_all() override { return disk_.sync(epoch_, *inode_, path_); }
    Result<> preallocate(std::uint64_t size) override {
        return disk_.set_size(epoch_, *inode_, path_, Operation::preallocate, size);
    }
    Result<> truncate(std::uint64_t size) override {
        return disk_.set_size(epoch_, *inode_, path_, Operation::truncate, size);
    }
    Result<std::uint64_t> size() override {
        const std::lock_guard guard(disk_.mutex_);
        return inode_->cache.size();
    }

  private:
    SimulatedDisk& disk_;
    const SimulatedDisk::InodePtr inode_;
    const std::string path_;
    const std::uint64_t epoch_;
    const bool writable_;
};

class SimulatedLock final : public storage::DirectoryLock {
  public:
    SimulatedLock(SimulatedDisk& disk, std::string directory, std::uint64_t epoch)
        : disk_(disk), directory_(std::move(directory)), epoch_(epoch) {}
    SimulatedLock(const SimulatedLock&) = delete;
    SimulatedLock& operator=(const SimulatedLock&) = delete;
    ~SimulatedLock() override {
        const std::lock_guard guard(disk_.mutex_);
        const auto held = disk_.locks_.find(directory_);
        if (held != disk_.locks_.end() && held->second == epoch_) disk_.locks_.erase(held);
    }

  private:
    SimulatedDisk& disk_;
    const std::string directory_;
    const std::uint64_t epoch_;
};

// ---------------------------------------------------------------- what the harness does

bool SimulatedDisk::powered() const {
    const std::lock_guard guard(mutex_);
    return powered_;
}

void SimulatedDisk::power_off() {
    const std::lock_guard guard(mutex_);
    powered_ = false;
}

void SimulatedDisk::power_on(Survival survival) {
    const std::lock_guard guard(mutex_);
    // Names first: a file that no surviving name leads to is gone, whatever was synced into it.
    for (const NameChange& change : waiting_names_) {
        const bool kept = survival == Survival::all || (survival == Survival::any && random_.chance(50));
        if (kept) apply(names_on_platter_, change);
    }
    waiting_names_.clear();
    for (auto it = names_on_platter_.begin(); it != names_on_platter_.end();) {
        const std::string parent = parent_of(it->first);
        const bool reachable = parent == "/" || names_on_platter_.contains(parent);
        it = reachable ? std::next(it) : names_on_platter_.erase(it);
    }
    names_ = names_on_platter_;
    for (auto& [path, inode] : names_) {
        settle(*inode, survival);
        inode->cache = inode->platter;
    }
    powered_ = true;
    fail_reads_ = false;
    ++epoch_;
    locks_.clear();
}

void SimulatedDisk::end_process() {
    const std::lock_guard guard(mutex_);
    powered_ = true;
    fail_reads_ = false;
    ++epoch_;
    locks_.clear();
}

void SimulatedDisk::fail_reads(bool fail) {
    const std::lock_guard guard(mutex_);
    fail_reads_ = fail;
}

void SimulatedDisk::short_reads(bool cut) {
    const std::lock_guard guard(mutex_);
    short_reads_ = cut;
}

SimulatedDisk::Image SimulatedDisk::image() const {
    const std::lock_guard guard(mutex_);
    Image image;
    for (const auto& [path, inode] : names_) {
        if (!inode->directory) image.emplace(path, inode->cache);
    }
    return image;
}

void SimulatedDisk::overwrite(const std::string& path, std::uint64_t offset, ByteView bytes) {
    const std::lock_guard guard(mutex_);
    Inode& inode = *names_.at(path);
    for (Bytes* content : {&inode.cache, &inode.platter}) {
        JZ_ASSERT(offset + bytes.size() <= content->size());
        std::ranges::copy(bytes, content->begin() + static_cast<std::ptrdiff_t>(offset));
    }
}

void SimulatedDisk::restore(const Image& image) {
    const std::lock_guard guard(mutex_);
    std::erase_if(names_, [](const auto& name) { return !name.second->directory; });
    for (const auto& [path, content] : image) {
        auto inode = std::make_shared<Inode>();
        inode->cache = inode->platter = content;
        names_[path] = std::move(inode);
    }
    names_on_platter_ = names_;
    waiting_names_.clear();
}

// ---------------------------------------------------------------- fates

Fate SimulatedDisk::ask(Operation operation, const std::string& path, std::uint64_t bytes) {
    {
        const std::lock_guard guard(mutex_);
        if (!powered_) return Fate::crash_before;
    }
    return referee_ ? referee_({operation, path, bytes}) : Fate::proceed;
}

// The answer for an operation whose effect, whatever it is, has taken place.
Result<> SimulatedDisk::verdict(Fate fate, const std::string& doing) {
    switch (fate) {
        case Fate::proceed:
        case Fate::misdirect:
        case Fate::pretend:
            return {};
        case Fate::fail:
            return Error(ErrorKind::io, doing + ": Input/output error (simulated)");
        case Fate::no_space:
            return Error(ErrorKind::io, doing + ": No space left on device (simulated)");
        case Fate::crash_before:
        case Fate::crash_during:
        case Fate::crash_after:
            powered_ = false;
            return no_power(doing);
    }
    return {};
}

// ---------------------------------------------------------------- contents

void SimulatedDisk::write_into(Inode& inode, std::uint64_t offset, ByteView bytes) {
    if (inode.cache.size() < offset + bytes.size()) resize(inode, offset + bytes.size());
    std::ranges::copy(bytes, inode.cache.begin() + static_cast<std::ptrdiff_t>(offset));
    const std::uint64_t end = (offset + bytes.size() + sector_bytes - 1) / sector_bytes;
    for (std::uint64_t sector = offset / sector_bytes; sector < end; ++sector) {
        const std::size_t begin = static_cast<std::size_t>(sector) * sector_bytes;
        const std::size_t size = std::min(sector_bytes, inode.cache.size() - begin);
        inode.waiting.push_back({false, sector, inode.waiting_bytes.size()});
        const auto from = inode.cache.begin() + static_cast<std::ptrdiff_t>(begin);
        inode.waiting_bytes.insert(inode.waiting_bytes.end(), from, from + static_cast<std::ptrdiff_t>(size));
        inode.waiting_bytes.resize(inode.waiting.back().bytes + sector_bytes);
    }
}

void SimulatedDisk::resize(Inode& inode, std::uint64_t size) {
    inode.cache.resize(static_cast<std::size_t>(size));
    inode.waiting.push_back({true, size, 0});
}

// Brings what waits to the platter, or a part of it. Sizes keep their order, and are not forgotten by a sync that
// fails (a file system journals them); sectors of one file reach the platter in any order, so that any version of one
// may be what is left.
void SimulatedDisk::settle(Inode& inode, Survival survival, bool sync_failed) {
    bool sizes_go_on = true;
    std::vector<Change> still_waiting;
    for (const Change& change : inode.waiting) {
        const bool kept = survival == Survival::all || (survival == Survival::any && random_.chance(50));
        if (change.is_size) {
            sizes_go_on = sizes_go_on && kept;
            if (sizes_go_on) inode.platter.resize(static_cast<std::size_t>(change.where));
            if (!sizes_go_on && sync_failed) still_waiting.push_back(change);
            continue;
        }
        const std::size_t begin = static_cast<std::size_t>(change.where) * sector_bytes;
        if (!kept || begin >= inode.platter.size()) continue;
        const std::size_t size = std::min(sector_bytes, inode.platter.size() - begin);
        std::copy_n(inode.waiting_bytes.begin() + static_cast<std::ptrdiff_t>(change.bytes), size,
                    inode.platter.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    inode.waiting = std::move(still_waiting);
    inode.waiting_bytes.clear();
}

Result<std::size_t> SimulatedDisk::read(std::uint64_t epoch, const Inode& inode, std::uint64_t offset, ByteSpan into) {
    const std::lock_guard guard(mutex_);
    if (!powered_ || epoch != epoch_) return no_power("read");
    if (fail_reads_) return Error(ErrorKind::io, "read: Input/output error (simulated)");
    if (offset >= inode.cache.size()) return std::size_t{0};
    std::size_t size = std::min(into.size(), inode.cache.size() - static_cast<std::size_t>(offset));
    if (short_reads_ && size > 0 && random_.chance(25)) size = static_cast<std::size_t>(random_.below(size));
    std::copy_n(inode.cache.begin() + static_cast<std::ptrdiff_t>(offset), size, into.begin());
    return size;
}

// Another place for a write: the same file or another one, whole sectors away.
// In the same directory: a write of the journal that lands in a file which nobody needs is a write that was lost, and
// that a journal alone cannot tell from one that never began.
std::uint64_t SimulatedDisk::elsewhere(InodePtr& inode, const std::string& path, std::uint64_t offset,
                                       std::uint64_t size) {
    std::vector<InodePtr> files;
    for (const auto& [name, other] : names_) {
        if (!other->directory && parent_of(name) == parent_of(path) && other->cache.size() >= size + sector_bytes)
            files.push_back(other);
    }
    if (files.empty()) return offset;
    inode = files[static_cast<std::size_t>(random_.below(files.size()))];
    const std::uint64_t sectors = (inode->cache.size() - size) / sector_bytes;
    const std::uint64_t moved = random_.below(sectors) * sector_bytes + offset % sector_bytes;
    return moved == offset ? (moved >= sector_bytes ? moved - sector_bytes : moved + sector_bytes) : moved;
}

Result<> SimulatedDisk::write(std::uint64_t epoch, InodePtr inode, const std::string& path, std::uint64_t offset,
                              std::span<const ByteView> parts) {
    Bytes bytes;
    for (const ByteView part : parts) append(bytes, part);
    const Fate fate = ask(Operation::write, path, bytes.size());
    const std::lock_guard guard(mutex_);
    if (!powered_ || epoch != epoch_) return no_power("write " + path);
    if (fate == Fate::misdirect) {
        // It is the drive that errs, so it is durable there, and nothing waits here.
        offset = elsewhere(inode, path, offset, bytes.size());
        for (Bytes* content : {&inode->cache, &inode->platter}) {
            if (offset + bytes.size() > content->size()) continue;
            std::ranges::copy(bytes, content->begin() + static_cast<std::ptrdiff_t>(offset));
        }
    } else if (is_error(fate) || fate == Fate::crash_during) {
        std::uint64_t at = offset;
        while (at < offset + bytes.size()) {
            const std::uint64_t end = std::min((at / sector_bytes + 1) * sector_bytes, offset + bytes.size());
            const auto part =
                ByteView(bytes).subspan(static_cast<std::size_t>(at - offset), static_cast<std::size_t>(end - at));
            // Past the end of the file the sectors before it would become holes; those are zeros as well.
            if (random_.chance(50)) write_into(*inode, at, part);
            at = end;
        }
    } else if (fate != Fate::crash_before) {
        write_into(*inode, offset, bytes);
    }
    return verdict(fate, "write " + path);
}

Result<> SimulatedDisk::sync(std::uint64_t epoch, Inode& inode, const std::string& path) {
    const Fate fate = ask(Operation::sync, path);
    const std::lock_guard guard(mutex_);
    if (!powered_ || epoch != epoch_) return no_power("sync " + path);
    if (is_error(fate) || fate == Fate::crash_during) {
        settle(inode, Survival::any, true);
    } else if (fate != Fate::crash_before && fate != Fate::pretend) {
        settle(inode, Survival::all);
    }
    return verdict(fate, "sync " + path);
}

Result<> SimulatedDisk::set_size(std::uint64_t epoch, Inode& inode, const std::string& path, Operation operation,
                                 std::uint64_t size) {
    const Fate fate = ask(operation, path, size);
    const std::lock_guard guard(mutex_);
    const std::string doing = std::string(name_of(operation)) + " " + path;
    if (!powered_ || epoch != epoch_) return no_power(doing);
    const bool done = !is_error(fate) && fate != Fate::crash_before;
    const bool grows_only = operation == Operation::preallocate;
    if (done && !(grows_only && inode.cache.size() >= size)) resize(inode, size);
    return verdict(fate, doing);
}

// ---------------------------------------------------------------- names

bool SimulatedDisk::directory_exists(const std::string& path) const {
    if (path == "/") return true;
    const auto found = names_.find(path);
    return found != names_.end() && found->second->directory;
}

void SimulatedDisk::apply(Names& names, const NameChange& change) {
    if (!change.erased.empty()) names.erase(change.erased);
    if (!change.given.empty()) names[change.given] = change.inode;
}

Result<> SimulatedDisk::change_names(Operation operation, const std::string& path, NameChange change) {
    const Fate fate = ask(operation, path);
    const std::lock_guard guard(mutex_);
    const std::string doing = std::string(name_of(operation)) + " " + path;
    if (!powered_) return no_power(doing);
    // The power goes whether the operation makes sense or not.
    const bool crashes = fate == Fate::crash_before || fate == Fate::crash_during || fate == Fate::crash_after;
    if (!directory_exists(change.directory)) {
        if (crashes) return verdict(fate, doing);
        return Error(ErrorKind::io, doing + ": no such directory");
    }
    if (!change.erased.empty()) {
        const auto found = names_.find(change.erased);
        if (found == names_.end()) return Error(ErrorKind::io, doing + ": no such file");
        if (!change.given.empty()) change.inode = found->second;
    }
    const bool done = !is_error(fate) && fate != Fate::crash_before;
    if (done) {
        apply(names_, change);
        waiting_names_.push_back(std::move(change));
    }
    return verdict(fate, doing);
}

Result<std::unique_ptr<storage::File>> SimulatedDisk::create(const std::filesystem::path& path) {
    const std::string name = path.string();
    auto inode = std::make_shared<Inode>();
    JZ_CHECK(change_names(Operation::create, name, {parent_of(name), {}, name, inode}));
    const std::lock_guard guard(mutex_);
    return std::unique_ptr<storage::File>(std::make_unique<SimulatedFile>(*this, inode, name, epoch_, true));
}

Result<std::unique_ptr<storage::File>> SimulatedDisk::open(const std::filesystem::path& path, Mode mode) {
    const std::lock_guard guard(mutex_);
    const std::string name = path.string();
    if (!powered_) return no_power("open " + name);
    if (fail_reads_) return Error(ErrorKind::io, "open " + name + ": Input/output error (simulated)");
    const auto found = names_.find(name);
    if (found == names_.end()) return Error(ErrorKind::not_found, "no file " + name);
    return std::unique_ptr<storage::File>(
        std::make_unique<SimulatedFile>(*this, found->second, name, epoch_, mode == Mode::read_write));
}

Result<> SimulatedDisk::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
    JZ_ASSERT(from.parent_path() == to.parent_path());
    return change_names(Operation::rename, from.string(),
                        {from.parent_path().string(), from.string(), to.string(), nullptr});
}

Result<> SimulatedDisk::remove(const std::filesystem::path& path) {
    return change_names(Operation::remove, path.string(), {path.parent_path().string(), path.string(), {}, nullptr});
}

Result<> SimulatedDisk::make_directory(const std::filesystem::path& path) {
    const std::string name = path.string();
    {
        const std::lock_guard guard(mutex_);
        if (powered_ && directory_exists(name)) return {};
    }
    auto inode = std::make_shared<Inode>();
    inode->directory = true;
    return change_names(Operation::make_directory, name, {parent_of(name), {}, name, std::move(inode)});
}

Result<> SimulatedDisk::sync_directory(const std::filesystem::path& path) {
    const std::string name = path.string();
    const Fate fate = ask(Operation::sync_directory, name);
    const std::lock_guard guard(mutex_);
    if (!powered_) return no_power("sync directory " + name);
    const bool partly = is_error(fate) || fate == Fate::crash_during;
    if (fate != Fate::crash_before && fate != Fate::pretend) {
        std::erase_if(waiting_names_, [&](const NameChange& change) {
            if (change.directory != name) return false;
            if (!partly || random_.chance(50)) apply(names_on_platter_, change);
            return !partly;  // a later sync has to bring the rest: file systems journal names, and do not forget them
        });
    }
    return verdict(fate, "sync directory " + name);
}

Result<std::vector<std::string>> SimulatedDisk::list(const std::filesystem::path& path) {
    const std::lock_guard guard(mutex_);
    const std::string directory = path.string();
    if (!powered_) return no_power("list " + directory);
    if (fail_reads_) return Error(ErrorKind::io, "list " + directory + ": Input/output error (simulated)");
    if (!directory_exists(directory)) return Error(ErrorKind::io, "list " + directory + ": no such directory");
    std::vector<std::string> found;
    for (const auto& [name, inode] : names_) {
        if (parent_of(name) == directory) found.push_back(std::filesystem::path(name).filename().string());
    }
    return found;
}

Result<std::unique_ptr<storage::DirectoryLock>> SimulatedDisk::lock(const std::filesystem::path& directory) {
    const std::lock_guard guard(mutex_);
    const std::string name = directory.string();
    if (!powered_) return no_power("lock " + name);
    if (!locks_.try_emplace(name, epoch_).second) return Error(ErrorKind::conflict, name + " is in use");
    return std::unique_ptr<storage::DirectoryLock>(std::make_unique<SimulatedLock>(*this, name, epoch_));
}

}  // namespace jiaozi::sim
