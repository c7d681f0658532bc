#include "server/tls_keeper.hpp"

#include <gtest/gtest.h>

#include "server/config_file.hpp"
#include "support/test_certificates.hpp"

namespace parley::server {
namespace {

using parley::test::make_certificate;
using parley::test::pem_of;
using parley::test::TestCertificate;
using parley::test::TestFolder;
using std::chrono::milliseconds;
using transports::TlsConfig;
using transports::TlsContexts;

class TlsKeeperTest : public testing::Test {
protected:
    TlsKeeperTest() {
        folder_.add(config_, "a", first_);
        config_.reload_check = milliseconds(0);
    }

    void make_keeper() {
        keeper_.emplace(io_, config_, [this](std::shared_ptr<const TlsContexts> fresh) {
            ++(fresh ? reloads_ : failures_);
            given_ = std::move(fresh);
        });
    }
    void replace(const TestCertificate& with) {
        folder_.write("a.pem", pem_of(with.certificate.get()));
        folder_.write("a.key", pem_of(with.key.get()));
    }
    // Runs the loop until that many reloads were tried; the machine's patience bounds it.
    void run_until_tried(int times) {
        while (reloads_ + failures_ < times && io_.run_one_for(std::chrono::seconds(10)) > 0) {
        }
        ASSERT_EQ(reloads_ + failures_, times);
    }

    TestFolder folder_;
    TlsConfig config_;
    TestCertificate first_ = make_certificate({"first", {"localhost"}});
    boost::asio::io_context io_;
    std::optional<TlsKeeper> keeper_;
    std::shared_ptr<const TlsContexts> given_;
    int reloads_ = 0;
    int failures_ = 0;
};

TEST_F(TlsKeeperTest, LoadsAtTheStartOrRefusesTo) {
    make_keeper();
    EXPECT_NE(keeper_->contexts(), nullptr);
    EXPECT_EQ(keeper_->expires(), keeper_->contexts()->expires());
    EXPECT_EQ(reloads_ + failures_, 0);
    folder_.write("a.pem", "nonsense");
    EXPECT_THROW(make_keeper(), ConfigError);
}

TEST_F(TlsKeeperTest, LoadsAnewWhenAskedAndKeepsTheOldWhereThatFails) {
    make_keeper();
    const auto before = keeper_->contexts();
    parley::test::CertificateWish wish{"second", {"localhost"}};
    wish.ends_in = 500'000;
    const TestCertificate second = make_certificate(wish);
    replace(second);
    keeper_->reload(config_);
    EXPECT_EQ(reloads_, 1);
    EXPECT_EQ(given_, keeper_->contexts());
    EXPECT_NE(given_, before);
    EXPECT_GT(keeper_->expires(), before->expires());

    const auto good = keeper_->contexts();
    folder_.write("a.key", pem_of(first_.key.get()));  // of another certificate
    keeper_->reload(config_);
    EXPECT_EQ(failures_, 1);
    EXPECT_EQ(given_, nullptr);
    EXPECT_EQ(keeper_->contexts(), good);
    EXPECT_EQ(keeper_->expires(), good->expires());
}

TEST_F(TlsKeeperTest, SeesThatAFileHasChanged) {
    config_.reload_check = milliseconds(1);
    make_keeper();
    const auto before = keeper_->contexts();
    replace(make_certificate({"second", {"localhost"}}));
    run_until_tried(1);
    EXPECT_EQ(reloads_, 1);
    EXPECT_NE(keeper_->contexts(), before);
}

TEST_F(TlsKeeperTest, TriesABadFileOnceAndTheNextOneAgain) {
    config_.reload_check = milliseconds(1);
    make_keeper();
    folder_.write("a.pem", "nonsense");
    run_until_tried(1);
    EXPECT_EQ(failures_, 1);
    // Many looks later it has not been tried again.
    for (int i = 0; i < 20; ++i) io_.run_one_for(std::chrono::seconds(10));
    EXPECT_EQ(failures_, 1);
    replace(make_certificate({"third", {"localhost"}}));
    run_until_tried(2);
    EXPECT_EQ(reloads_, 1);
}

TEST_F(TlsKeeperTest, TakesAnotherConfigurationAndWatchesItsFiles) {
    config_.reload_check = milliseconds(1);
    make_keeper();
    TlsConfig other = config_;
    other.cert.clear();
    other.key.clear();
    folder_.add(other, "b", make_certificate({"b", {"localhost"}}));
    keeper_->reload(other);
    EXPECT_EQ(reloads_, 1);
    folder_.add(other, "b", make_certificate({"b again", {"localhost"}}));
    run_until_tried(2);
    EXPECT_EQ(reloads_, 2);
}

}  // namespace
}  // namespace parley::server
