// QR codes drawn here are read by zbar, which shares nothing with libqrencode.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>
#include <unistd.h>

#include <jiaozi/carriers/framing.hpp>
#include <jiaozi/carriers/qr.hpp>

namespace jiaozi::carriers {
namespace {

Bytes message_of(std::size_t size) {
    Bytes message(size);
    for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<std::uint8_t>(i * 31 + i / 256);
    return message;
}

TEST(QrParts, AsTheSpecificationWritesThem) {
    // SHA-256("abc") begins ba7816bf.
    EXPECT_EQ(split_for_qr(as_bytes("abc")).value(), std::vector<std::string>{"JZP1/BA7816BF/1/1/MFRGG"});
    EXPECT_EQ(split_for_qr(message_of(200)).value().size(), 1U);
    EXPECT_EQ(split_for_qr(message_of(201)).value().size(), 2U);
    EXPECT_EQ(split_for_qr(message_of(max_message)).value().size(), max_qr_parts);
    EXPECT_FALSE(split_for_qr({}).ok());
    EXPECT_FALSE(split_for_qr(message_of(max_message + 1)).ok());
}

TEST(QrParts, InAnyOrderAndAsOftenAsTheyCome) {
    std::mt19937 random(7);
    for (const std::size_t size : {1U, 200U, 315U, 440U, 4608U}) {
        const Bytes message = message_of(size);
        std::vector<std::string> parts = split_for_qr(message).value();
        for (int round = 0; round < 20; ++round) {
            std::ranges::shuffle(parts, random);
            QrCollector collector;
            std::optional<Bytes> whole;
            std::size_t shown = 0;
            while (!whole && shown < 10'000) {
                auto added = collector.add(parts[shown < 5 ? shown % parts.size() : random() % parts.size()]);
                ASSERT_TRUE(added.ok());
                whole = std::move(*added);
                ++shown;
            }
            EXPECT_EQ(whole, message);
        }
    }
}

TEST(QrParts, TwoMessagesAtOnceAreKeptApart) {
    const Bytes first = message_of(450);
    Bytes second = first;
    second[449] ^= 1;
    const auto a = split_for_qr(first).value();
    const auto b = split_for_qr(second).value();
    QrCollector collector;
    for (std::size_t i = 0; i + 1 < a.size(); ++i) {
        EXPECT_FALSE(collector.add(a[i]).value().has_value());
        EXPECT_FALSE(collector.add(b[i]).value().has_value());
    }
    EXPECT_EQ(collector.add(a.back()).value(), first);
    EXPECT_EQ(collector.add(b.back()).value(), second);
}

TEST(QrParts, WhatIsNoPartIsRefused) {
    const struct {
        const char* text;
        const char* why;
    } cases[] = {
        {"", "nothing"},
        {"https://example.org", "another code"},
        {"JZP2/BA7816BF/1/1/MFRGG", "another version"},
        {"JZP1/BA7816BF/1/1", "fields missing"},
        {"JZP1/ba7816bf/1/1/MFRGG", "tag in lower case"},
        {"JZP1/BA7816B/1/1/MFRGG", "tag too short"},
        {"JZP1/BA7816BF/0/1/MFRGG", "counts from 1"},
        {"JZP1/BA7816BF/2/1/MFRGG", "beyond the last"},
        {"JZP1/BA7816BF/01/1/MFRGG", "leading zero"},
        {"JZP1/BA7816BF/1/25/MFRGG", "more than 24"},
        {"JZP1/BA7816BF/+1/1/MFRGG", "sign"},
        {"JZP1/BA7816BF//1/MFRGG", "no number"},
        {"JZP1/BA7816BF/1/1/MFRGG=", "padding"},
        {"JZP1/BA7816BF/1/1/mfrgg", "lower case"},
        {"JZP1/BA7816BF/1/1/", "no data"},
        {"JZP1/BA7816BF/1/1/MFRGG/", "something behind"},
        {"JZP1/BA7816BF/1/2/MFRGG", "a part that is not the last is full"},
        {"JZP1/BA7816BE/1/1/MFRGG", "the wrong tag"},
    };
    for (const auto& test : cases) {
        QrCollector collector;
        EXPECT_FALSE(collector.add(test.text).ok()) << test.why;
    }
}

TEST(QrParts, AForgedPartSpoilsOneReadingOnly) {
    const Bytes message = message_of(300);
    const auto parts = split_for_qr(message).value();
    std::string forged = parts[1];
    forged.back() = forged.back() == 'A' ? 'E' : 'A';
    QrCollector collector;
    EXPECT_FALSE(collector.add(parts[0]).value().has_value());
    EXPECT_FALSE(collector.add(forged).ok());
    EXPECT_FALSE(collector.add(parts[0]).value().has_value());
    EXPECT_EQ(collector.add(parts[1]).value(), message);
}

std::vector<std::string> read_by_zbar(const std::filesystem::path& image) {
    std::vector<std::string> lines;
    FILE* const tool =
        ::popen(("zbarimg --raw --quiet -Sdisable -Sqrcode.enable '" + image.string() + "' 2>/dev/null").c_str(), "r");
    if (tool == nullptr) return lines;
    char line[1024];
    while (std::fgets(line, sizeof line, tool) != nullptr) {
        lines.emplace_back(line);
        while (!lines.back().empty() && lines.back().back() == '\n') lines.back().pop_back();
    }
    ::pclose(tool);
    return lines;
}

TEST(QrImages, ZbarReadsWhatWeDraw) {
    if (::access("/usr/bin/zbarimg", X_OK) != 0) GTEST_SKIP() << "SKIPPED: zbar-tools is not installed";
    std::string folder = (std::filesystem::temp_directory_path() / "jiaozi-qr-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const Bytes message = message_of(440);
    const auto parts = split_for_qr(message).value();
    QrCollector collector;
    std::optional<Bytes> whole;
    for (const std::string& part : parts) {
        const QrImage image = draw_qr(part).value();
        EXPECT_LE(image.side, 65U) << "version 12 at most: a camera reads it from a screen";
        const auto path = std::filesystem::path(folder) / "code.pgm";
        const Bytes pixels = qr_as_pgm(image);
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(pixels.data()), static_cast<std::streamsize>(pixels.size()));
        const auto read = read_by_zbar(path);
        ASSERT_EQ(read, std::vector<std::string>{part});
        whole = collector.add(read[0]).value();
    }
    EXPECT_EQ(whole, message);
    std::filesystem::remove_all(folder);
}

TEST(QrImages, OnATerminalEveryModuleIsHalfACharacter) {
    const QrImage image = draw_qr("JZP1/BA7816BF/1/1/MFRGG").value();
    const std::string text = qr_as_text(image);
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text, '\n')), (image.side + 8 + 1) / 2);
    EXPECT_FALSE(draw_qr("anything else").ok());
}

}  // namespace
}  // namespace jiaozi::carriers
