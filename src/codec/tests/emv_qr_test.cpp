#include <gtest/gtest.h>

#include <jiaozi/codec/emv_qr.hpp>

namespace jiaozi::codec {
namespace {

// The sample payload of the specification.
const std::string sample =
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT"
    "6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME"
    "91320016A011223344998877070812345678"
    "6304A13A";

// Ends a payload with a right checksum, so that a test sees the refusal it is about.
std::string with_crc(std::string text) {
    text += "6304";
    static constexpr char digits[] = "0123456789ABCDEF";
    const unsigned crc = crc16_ccitt_false(text);
    for (const unsigned shift : {12U, 8U, 4U, 0U}) text += digits[(crc >> shift) & 15];
    return text;
}

TEST(EmvQr, ChecksumOfTheCatalogue) {
    EXPECT_EQ(crc16_ccitt_false("123456789"), 0x29B1);
}

TEST(EmvQr, ReadsTheSpecificationsSample) {
    const EmvQr qr = parse_emv_qr(sample).value();
    EXPECT_EQ(*qr.find(59), "BEST TRANSPORT");
    EXPECT_EQ(*qr.find(54), "23.72");
    const auto language = parse_emv_template(*qr.find(64)).value();
    EXPECT_EQ(language, (std::vector<EmvField>{{0, "ZH"}, {1, "最佳运输"}, {2, "北京"}}));
    EXPECT_EQ(encode_emv_qr(qr).value(), sample);
    EXPECT_EQ(read_emv_payment(qr, "D15600000000").error().kind(), ErrorKind::invalid) << "it asks for a tip";
}

EmvPayment drink() {
    return {.one_time = true,
            .scheme = "org.jiaozi",
            .account = {{1, "mch_01HF7YAT31JZHK5T0N3R8Q9V2E"}},
            .category = "5814",
            .currency = "156",
            .amount = "3.50",
            .country = "CN",
            .merchant_name = "饺子小店",
            .merchant_city = "成都",
            .bill_number = "42",
            .reference_label = "R-7",
            .terminal_label = "vend-1"};
}

TEST(EmvQr, APaymentComesBackAsItWasWritten) {
    const EmvPayment payment = drink();
    const std::string text = encode_emv_payment(payment).value();
    EXPECT_TRUE(text.starts_with("000201010212"));
    EXPECT_NE(text.find("5904饺子小店6002成都"), std::string::npos) << "lengths count characters";
    EXPECT_EQ(read_emv_payment(parse_emv_qr(text).value(), "org.jiaozi").value(), payment);
    EXPECT_EQ(read_emv_payment(parse_emv_qr(text).value(), "org.other").error().kind(), ErrorKind::not_found);

    EmvPayment open = payment;
    open.amount.reset();
    open.bill_number = open.reference_label = open.terminal_label = std::nullopt;
    open.one_time = false;
    EXPECT_EQ(read_emv_payment(parse_emv_qr(encode_emv_payment(open).value()).value(), "org.jiaozi").value(), open);
}

TEST(EmvQr, ValuesOutsideTheirGrammarAreNotWritten) {
    struct Case {
        std::string_view param;
        std::string EmvPayment::* field;
        std::string value;
    };
    const Case cases[] = {
        {"52", &EmvPayment::category, "581"},
        {"52", &EmvPayment::category, "58A4"},
        {"53", &EmvPayment::currency, "CNY"},
        {"58", &EmvPayment::country, "cn"},
        {"58", &EmvPayment::country, "CHN"},
        {"59", &EmvPayment::merchant_name, ""},
        {"59", &EmvPayment::merchant_name, std::string(26, 'x')},
        {"60", &EmvPayment::merchant_city, std::string(16, 'x')},
        {"", &EmvPayment::merchant_name, "a\nb"},
        {"", &EmvPayment::merchant_name, "\xFF"},
    };
    for (const Case& c : cases) {
        EmvPayment payment = drink();
        payment.*c.field = c.value;
        const auto text = encode_emv_payment(payment);
        ASSERT_FALSE(text.ok()) << c.param << " " << c.value;
        EXPECT_EQ(text.error().kind(), ErrorKind::invalid);
        EXPECT_EQ(text.error().param(), c.param);
    }
    for (const std::string amount : {"", "0", "0.00", ".5", "1,5", "1.2.3", "-1", "1e3", "12345678901234"}) {
        EmvPayment payment = drink();
        payment.amount = amount;
        EXPECT_FALSE(encode_emv_payment(payment).ok()) << amount;
    }
    for (const std::string amount : {"1", "98.", "0.01", "1234567890.12"}) {
        EmvPayment payment = drink();
        payment.amount = amount;
        EXPECT_TRUE(encode_emv_payment(payment).ok()) << amount;
    }
}

TEST(EmvQr, WhatIsRefusedAndWhy) {
    const std::string body =
        "000201"
        "26100006ABCDEF"
        "52045814"
        "5303156"
        "5802CN"
        "5901A"
        "6001B";
    ASSERT_TRUE(parse_emv_qr(with_crc(body)).ok());
    struct Case {
        const char* why;
        std::string payload;
        ErrorKind kind = ErrorKind::malformed;
    };
    const Case cases[] = {
        {"empty", ""},
        {"no checksum", body},
        {"a wrong checksum", body + "63040000"},
        {"a lower-case checksum", sample.substr(0, sample.size() - 4) + "a13a"},
        {"something after the checksum", with_crc(body) + "5901A"},
        {"the format indicator is not first", with_crc(body.substr(6) + "000201")},
        {"another format", with_crc("000202" + body.substr(6))},
        {"a field twice", with_crc(body + "5901C")},
        {"two checksums", with_crc(with_crc(body))},
        {"no merchant account", with_crc("000201"
                                         "52045814"
                                         "5303156"
                                         "5802CN"
                                         "5901A"
                                         "6001B")},
        {"no category", with_crc("000201"
                                 "26100006ABCDEF"
                                 "5303156"
                                 "5802CN"
                                 "5901A"
                                 "6001B")},
        {"no city", with_crc("000201"
                             "26100006ABCDEF"
                             "52045814"
                             "5303156"
                             "5802CN"
                             "5901A")},
        {"an account without a scheme", with_crc("000201"
                                                 "26100106ABCDEF"
                                                 "52045814"
                                                 "5303156"
                                                 "5802CN"
                                                 "5901A"
                                                 "6001B")},
        {"an account template that is not one", with_crc("000201"
                                                         "2604ABCD"
                                                         "52045814"
                                                         "5303156"
                                                         "5802CN"
                                                         "5901A"
                                                         "6001B")},
        {"a length beyond the end", with_crc(body + "6199A")},
        {"an empty field", with_crc(body + "6100")},
        {"a reserved field", with_crc(body + "6501A")},
        {"a tip without its amount", with_crc(body + "550202")},
        {"a fixed fee without the tip field", with_crc(body + "56011")},
        {"initiation is neither 11 nor 12", with_crc(body + "010213")},
        {"letters where a length should be", with_crc(body + "61ZZA")},
        {"bytes that are not UTF-8", with_crc(body + "6101\xFF")},
        {"more than 512 characters",
         with_crc(body +
                  "8099"
                  "0001X0294" +
                  std::string(94, 'x') + "0101y" + std::string(500, '0')),
         ErrorKind::too_large},
        {"a megabyte", std::string(1 << 20, '0'), ErrorKind::too_large},
    };
    for (const Case& c : cases) {
        const auto qr = parse_emv_qr(c.payload);
        ASSERT_FALSE(qr.ok()) << c.why;
        EXPECT_EQ(qr.error().kind(), c.kind) << c.why << ": " << qr.error().to_string();
    }
}

}  // namespace
}  // namespace jiaozi::codec
