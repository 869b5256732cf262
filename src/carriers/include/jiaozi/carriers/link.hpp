// One peer, over any carrier: messages out, messages in, until a moment. What comes in is untrusted. A link never sends
// a message again by itself.
//
//   tcp:127.0.0.1:7700   the payee listens, the payer connects; a numeric address
//   unix:PATH            the same with a Unix socket
//   serial:PATH          a serial line or pseudo-terminal, 115200 8N1; both open it
//   file:DIR             a folder both can reach, or that is carried: a file a message
//   qr:  qr:DIR          shows codes on the terminal (and writes them to DIR as images); reads parts as lines of
//                        standard input, which is what a scanner types and `zbarcam --raw` prints
//
// Errors of links: timeout (nothing came in time; the link is still good), unavailable (the peer is gone or not there;
// whether it got the last message is not known), malformed (it is no purse), io. Not thread-safe.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::carriers {

class Link {
  public:
    virtual ~Link() = default;
    virtual Result<void> send(ByteView message) = 0;
    virtual Result<Bytes> receive(Duration patience) = 0;
};

enum class Kind : std::uint8_t { tcp, unix_socket, serial, file, qr };
enum class Side : std::uint8_t { payee, payer };

struct Place {
    Kind kind = Kind::tcp;
    std::string where;       // address, path or folder
    std::uint16_t port = 0;  // tcp; 0 lets the system choose (payee only)
};
// Error invalid, with the forms that there are.
Result<Place> parse_place(std::string_view text);

// Where payers connect to. Of tcp and unix; the socket's file is removed with it.
class Listener {
  public:
    virtual ~Listener() = default;
    virtual Result<std::unique_ptr<Link>> accept(Duration patience) = 0;
    // With the port that the system chose.
    virtual Place place() const = 0;
};
Result<std::unique_ptr<Listener>> listen(const Place& place);

// The payer of tcp and unix connects; for the others both sides open. `screen` is where codes are shown and `scanner`
// where their parts are read from (qr only; they outlive the link).
struct Terminal {
    std::ostream* screen = nullptr;
    int scanner = 0;
};
Result<std::unique_ptr<Link>> open_link(const Place& place, Side side, Duration patience,
                                        const Terminal& terminal = {});

// A connected descriptor, which the link closes; for socket pairs and pseudo-terminals. `quiet_restart`: on lines
// without connections a message whose bytes stop for a second is forgotten.
std::unique_ptr<Link> link_over(int descriptor, bool quiet_restart = false);

}  // namespace jiaozi::carriers
