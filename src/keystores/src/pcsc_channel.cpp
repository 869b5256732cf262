// APDUs through pcscd (PC/SC, winscard.h of pcsc-lite).
#include <string>
#include <vector>

#include <PCSC/winscard.h>

#include <jiaozi/keystores/card_key.hpp>

namespace jiaozi::keystores {
namespace {

constexpr std::size_t max_readers = 4096;  // bytes of names

Error pcsc_error(LONG code, std::string_view doing) {
    const std::string text = std::string(doing) + ": ";
    switch (code) {
        case SCARD_E_NO_SERVICE:
            return {ErrorKind::unavailable, text + "pcscd does not run; start it"};
        case SCARD_E_NO_READERS_AVAILABLE:
        case SCARD_E_READER_UNAVAILABLE:
            return {ErrorKind::not_found, text + "no card reader is connected"};
        case SCARD_E_NO_SMARTCARD:
        case SCARD_W_REMOVED_CARD:
            return {ErrorKind::unavailable, text + "no card is in the reader; put it in"};
        case SCARD_E_NOT_TRANSACTED:
        case SCARD_E_COMM_DATA_LOST:
            return {ErrorKind::unavailable, text + "the card went away while it was asked; put it in and try again"};
        case SCARD_W_RESET_CARD:
            return {ErrorKind::conflict, text + "the card was reset"};
        case SCARD_E_SHARING_VIOLATION:
            return {ErrorKind::unavailable, text + "another program holds the card"};
        default:
            return {ErrorKind::io, text + pcsc_stringify_error(code)};
    }
}

Result<void> check(LONG code, std::string_view doing) {
    if (code == SCARD_S_SUCCESS) return {};
    return pcsc_error(code, doing);
}

class PcscChannel final : public CardChannel {
  public:
    PcscChannel() = default;
    ~PcscChannel() override {
        if (card_ != 0) SCardDisconnect(card_, SCARD_LEAVE_CARD);
        if (context_ != 0) SCardReleaseContext(context_);
    }
    PcscChannel(const PcscChannel&) = delete;
    PcscChannel& operator=(const PcscChannel&) = delete;

    Result<void> open(const std::string& reader) {
        JZ_CHECK(check(SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context_), "reach pcscd"));
        JZ_TRY(const std::string name, find_reader(reader));
        return check(SCardConnect(context_, name.c_str(), SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                                  &card_, &protocol_),
                     "connect to the card");
    }

    Result<Bytes> transmit(ByteView apdu) override {
        Bytes answer(MAX_BUFFER_SIZE);
        DWORD size = answer.size();
        const SCARD_IO_REQUEST* const request = protocol_ == SCARD_PROTOCOL_T1 ? SCARD_PCI_T1 : SCARD_PCI_T0;
        const LONG code = SCardTransmit(card_, request, apdu.data(), apdu.size(), nullptr, answer.data(), &size);
        if (code == SCARD_W_RESET_CARD) {
            // Whoever reset it: connected again here, selected again by the caller.
            JZ_CHECK(check(SCardReconnect(card_, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                                          SCARD_LEAVE_CARD, &protocol_),
                           "connect to the card again"));
        }
        JZ_CHECK(check(code, "talk to the card"));
        answer.resize(size);
        return answer;
    }

  private:
    Result<std::string> find_reader(const std::string& wanted) const {
        std::vector<char> names(max_readers);
        DWORD size = names.size();
        JZ_CHECK(check(SCardListReaders(context_, nullptr, names.data(), &size), "list the card readers"));
        for (const char* name = names.data(); *name != '\0'; name += std::string_view(name).size() + 1) {
            if (std::string_view(name).find(wanted) != std::string_view::npos) return std::string(name);
        }
        return Error(ErrorKind::not_found, "no card reader has '" + wanted + "' in its name");
    }

    SCARDCONTEXT context_ = 0;
    SCARDHANDLE card_ = 0;
    DWORD protocol_ = 0;
};

}  // namespace

Result<std::unique_ptr<CardChannel>> open_pcsc_channel(const std::string& reader) {
    auto channel = std::make_unique<PcscChannel>();
    JZ_CHECK(channel->open(reader));
    return std::unique_ptr<CardChannel>(std::move(channel));
}

}  // namespace jiaozi::keystores
