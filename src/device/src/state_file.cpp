#include <jiaozi/crypto/private_file.hpp>
#include <jiaozi/device/state.hpp>

namespace jiaozi::device {

Result<std::unique_ptr<StateFile>> StateFile::open(const std::filesystem::path& path) {
    std::unique_ptr<StateFile> file(new StateFile(path));
    const auto content = crypto::read_private_file(path, max_state_bytes);
    if (!content.ok() && content.error().kind() == ErrorKind::not_found) return file;
    if (!content.ok()) return content.error();
    if (content->empty()) {
        return Error(ErrorKind::corrupt,
                     path.string() + " is empty; restore it, or remove it and claim the device again");
    }
    auto state = decode_state(content->view());
    if (!state.ok()) return std::move(state).error().in(path.string());
    file->data_ = std::move(state).value();
    return file;
}

Result<void> StateFile::commit() {
    JZ_ASSERT(data_.has_value());
    Bytes bytes = encode_state(*data_);
    auto written = crypto::write_private_file(path_, bytes, crypto::Existing::replace);
    crypto::wipe(bytes);
    return written;
}

}  // namespace jiaozi::device
