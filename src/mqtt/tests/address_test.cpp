#include <gtest/gtest.h>

#include <jiaozi/mqtt/address.hpp>

#include "password_file.hpp"

namespace jiaozi::mqtt {
namespace {

TEST(BrokerAddress, IsReadFromItsUrl) {
    struct Row {
        const char* url;
        const char* host;
        int port;
        const char* user;
        const char* password;
        bool tls;
    };
    for (const Row& row : {Row{"mqtt://127.0.0.1", "127.0.0.1", 1883, "", "", false},
                           {"mqtts://broker.example/", "broker.example", 8883, "", "", true},
                           {"mqtt://jiaozi:s3cret@10.0.0.1:1900", "10.0.0.1", 1900, "jiaozi", "s3cret", false},
                           {"mqtt://a%40b:p%3A%2F%25@h:1", "h", 1, "a@b", "p:/%", false},
                           {"mqtt://user@h", "h", 1883, "user", "", false},
                           {"mqtts://u:p@[::1]:65535", "::1", 65535, "u", "p", true}}) {
        const auto address = parse_broker_url(row.url);
        ASSERT_TRUE(address.ok()) << row.url << ": " << address.error().message();
        EXPECT_EQ(address->host, row.host) << row.url;
        EXPECT_EQ(address->port, row.port) << row.url;
        EXPECT_EQ(address->user, row.user) << row.url;
        EXPECT_EQ(address->password, row.password) << row.url;
        EXPECT_EQ(address->tls, row.tls) << row.url;
        EXPECT_EQ(display(*address).find("s3cret"), std::string::npos);
    }
}

TEST(BrokerAddress, OtherTextIsRefusedWithoutRepeatingIt) {
    for (const std::string& url :
         {std::string("http://h"), std::string("h:1883"), std::string("mqtt://"), std::string("mqtt://h:0"),
          std::string("mqtt://h:65536"), std::string("mqtt://h:1x"), std::string("mqtt://:p@h"),
          std::string("mqtt://u:%zz-secret@h"), std::string("mqtt://u:%00@h"), std::string("mqtt://[::1"),
          std::string("mqtt://[::1]x"), std::string("mqtt://a b"), std::string("mqtt://h/x"),
          "mqtt://" + std::string(2000, 'h')}) {
        const auto address = parse_broker_url(url);
        ASSERT_FALSE(address.ok()) << url;
        EXPECT_EQ(address.error().kind(), ErrorKind::malformed);
        EXPECT_EQ(address.error().message().find("secret"), std::string::npos);
    }
}

TEST(PasswordFile, KeepsHashesOnlyAndReadsBackWhatItWrote) {
    PasswordFile file;
    file.put("dev_A", "one");
    file.put("dev_B", "two");
    file.put("dev_A", "three");
    EXPECT_EQ(file.size(), 2U);
    EXPECT_EQ(file.text().find("three"), std::string::npos);
    EXPECT_EQ(file.text().substr(0, 14), "dev_A:$7$101$" + file.text().substr(13, 1));
    std::size_t left_out = 9;
    EXPECT_EQ(PasswordFile::parse(file.text(), left_out).text(), file.text());
    EXPECT_EQ(left_out, 0U);
    EXPECT_EQ(PasswordFile::parse("rubbish\n:$7$x\nplain:text\n" + file.text(), left_out).size(), 2U);
    EXPECT_EQ(left_out, 3U);
    EXPECT_TRUE(file.remove("dev_A"));
    EXPECT_FALSE(file.remove("dev_A"));
}

}  // namespace
}  // namespace jiaozi::mqtt
