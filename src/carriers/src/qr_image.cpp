// Drawn by libqrencode.
#include <memory>
#include <string>

#include <qrencode.h>

#include <jiaozi/carriers/qr.hpp>

namespace jiaozi::carriers {
namespace {

constexpr std::size_t quiet = 4;  // modules of nothing around a code (ISO/IEC 18004)

struct Free {
    void operator()(QRcode* code) const { QRcode_free(code); }
};

// Light outside of the code.
bool dark_at(const QrImage& image, std::size_t x, std::size_t y) {
    const bool inside = x >= quiet && y >= quiet && x < quiet + image.side && y < quiet + image.side;
    return inside && image.dark(x - quiet, y - quiet);
}

}  // namespace

Result<QrImage> draw_qr(std::string_view part) {
    JZ_CHECK(parse_qr_part(part));
    const std::string text(part);
    // Case-sensitive, so that upper case stays in alphanumeric mode by itself.
    const std::unique_ptr<QRcode, Free> code(QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1));
    if (code == nullptr) return errno_error("draw a QR code");
    QrImage image;
    image.side = static_cast<std::size_t>(code->width);
    image.modules.resize(image.side * image.side);
    for (std::size_t i = 0; i < image.modules.size(); ++i) image.modules[i] = code->data[i] & 1;
    return image;
}

std::string qr_as_text(const QrImage& image) {
    const std::size_t side = image.side + 2 * quiet;
    std::string text;
    for (std::size_t y = 0; y < side; y += 2) {
        text += "\x1b[30;107m";  // black on white, whatever the terminal's colours are
        for (std::size_t x = 0; x < side; ++x) {
            const bool upper = dark_at(image, x, y);
            const bool lower = dark_at(image, x, y + 1);
            text += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ");
        }
        text += "\x1b[0m\n";
    }
    return text;
}

Bytes qr_as_pgm(const QrImage& image, std::size_t scale) {
    const std::size_t side = (image.side + 2 * quiet) * scale;
    const std::string size = std::to_string(side);
    Bytes file = to_bytes(as_bytes("P5\n" + size + " " + size + "\n255\n"));
    file.reserve(file.size() + side * side);
    for (std::size_t y = 0; y < side; ++y) {
        for (std::size_t x = 0; x < side; ++x) file.push_back(dark_at(image, x / scale, y / scale) ? 0 : 255);
    }
    return file;
}

}  // namespace jiaozi::carriers
