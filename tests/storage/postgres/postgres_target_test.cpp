#include "storage/postgres_target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace parley::storage {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string option(const PostgresTarget& target, const std::string& name) {
    const auto found = std::ranges::find_if(
        target.options, [&name](const auto& each) { return each.first == name; });
    return found == target.options.end() ? "" : found->second;
}

std::string refusal(const std::string& spec) {
    try {
        static_cast<void>(postgres_target_of(spec));
        return "taken";
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

TEST(PostgresTarget, TakesHostsApartAndKeepsTheRest) {
    const auto target = postgres_target_of(
        "postgres://ann:hu%40sh@one.example:5433,two.example/chat?sslmode=require");
    ASSERT_EQ(target.hosts.size(), 2U);
    EXPECT_EQ(target.hosts[0].name, "one.example");
    EXPECT_EQ(target.hosts[0].port, "5433");
    EXPECT_EQ(target.hosts[1].name, "two.example");
    EXPECT_EQ(target.hosts[1].port, "");
    EXPECT_EQ(option(target, "user"), "ann");
    EXPECT_EQ(option(target, "password"), "hu@sh");
    EXPECT_EQ(option(target, "dbname"), "chat");
    EXPECT_EQ(option(target, "sslmode"), "require");
    EXPECT_EQ(option(target, "host"), "") << "each host is said by itself";
    EXPECT_EQ(target.patience, seconds(5));
}

TEST(PostgresTarget, TakesAddressesAndOnePortForAll) {
    const auto target = postgres_target_of(
        "postgres:host=a,b hostaddr=10.0.0.1,10.0.0.2 port=6000 dbname=x connect_timeout=2");
    ASSERT_EQ(target.hosts.size(), 2U);
    EXPECT_EQ(target.hosts[1].name, "b");
    EXPECT_EQ(target.hosts[1].address, "10.0.0.2");
    EXPECT_EQ(target.hosts[1].port, "6000");
    EXPECT_EQ(target.patience, seconds(2));
}

TEST(PostgresTarget, OfSeveralHostsTheOneThatCanBeWrittenIsMeant) {
    const auto wanted = [](const std::string& spec) {
        return option(postgres_target_of(spec), "target_session_attrs");
    };
    EXPECT_EQ(wanted("postgres:host=a,b dbname=x"), "read-write");
    EXPECT_EQ(wanted("postgres:host=a,b dbname=x target_session_attrs=primary"), "primary");
    EXPECT_EQ(wanted("postgres:host=a dbname=x"), "any");
}

TEST(PostgresTarget, SaysWhatIsWrongWithoutThePassword) {
    const auto says = [](const std::string& what) {
        return AllOf(HasSubstr(what), Not(HasSubstr("hush")));
    };
    EXPECT_THAT(refusal("postgres:"), says("not named"));
    EXPECT_THAT(refusal("postgres:postgresql://ann:hush%zz@host/db"), says("can't be read"));
    EXPECT_THAT(refusal("postgres:host=h hush"), says("can't be read"));
    EXPECT_THAT(refusal("postgres://ann:pa@hush@host/db"), says("%40"));
    EXPECT_THAT(refusal("postgres:host=a,b hostaddr=10.0.0.1 dbname=x"), says("2 hosts and 1"));
    EXPECT_THAT(refusal("postgres:host=a,b port=1,2,3 dbname=x"), says("3 ports"));
    EXPECT_EQ(refusal("postgres:host=/run/postgresql dbname=x password=hush"), "taken");
}

}  // namespace
}  // namespace parley::storage
