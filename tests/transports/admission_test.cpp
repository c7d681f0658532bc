#include "transports/admission.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ip/address.hpp>
#include <vector>

namespace parley::transports {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr core::TimePoint start{seconds(1'000)};

std::size_t memory_read = 0;
int memory_looks = 0;

std::size_t read_memory() noexcept {
    ++memory_looks;
    return memory_read;
}

AddressKey key_of(const std::string& text) {
    return address_key_of(boost::asio::ip::make_address(text));
}

TEST(Admission, HoldsTheNumberOfConnectionsAndLetsInAgainBelow95Percent) {
    core::LimitsConfig limits;
    limits.connections = 100;
    Admission admission;
    std::vector<AdmissionTicket> tickets;
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(admission.judge(limits, start), AdmissionRefusal::none) << i;
        tickets.push_back(admission.admit());
    }
    for (std::size_t count = 100; count > 95; --count) {
        EXPECT_EQ(admission.now(), count);
        EXPECT_EQ(admission.judge(limits, start), AdmissionRefusal::connections) << count;
        EXPECT_TRUE(admission.overloaded(AdmissionMarks(limits), start));
        tickets.pop_back();
    }
    EXPECT_EQ(admission.judge(limits, start), AdmissionRefusal::none);
    EXPECT_FALSE(admission.overloaded(AdmissionMarks(limits), start));
    // From below it fills up to the limit itself again.
    while (tickets.size() < 100) tickets.push_back(admission.admit());
    EXPECT_EQ(admission.judge(limits, start), AdmissionRefusal::connections);
}

TEST(Admission, HoldsHandshakesToTheirBurstAndTheirRate) {
    core::LimitsConfig limits;
    limits.handshakes = {10, 5};
    Admission admission;
    const auto let_in = [&](core::TimePoint at) {
        int count = 0;
        while (admission.judge(limits, at) == AdmissionRefusal::none) ++count;
        EXPECT_EQ(admission.judge(limits, at), AdmissionRefusal::handshakes);
        return count;
    };
    EXPECT_EQ(let_in(start), 5);
    EXPECT_EQ(let_in(start + milliseconds(300)), 3);
    EXPECT_EQ(let_in(start + seconds(60)), 5);
    EXPECT_FALSE(admission.overloaded(AdmissionMarks(limits), start)) << "it is no mark";
}

TEST(Admission, LooksAtMemoryOnceASecondAndStaysOverTheMarkUntilWellBelowIt) {
    core::LimitsConfig limits;
    limits.memory = 1'000;
    Admission admission(&read_memory);
    memory_looks = 0;
    memory_read = 999;
    auto at = start;
    const auto judged = [&](milliseconds later, std::size_t memory) {
        at += later;
        memory_read = memory;
        return admission.judge(limits, at);
    };
    EXPECT_EQ(judged(milliseconds(0), 999), AdmissionRefusal::none);
    EXPECT_EQ(judged(milliseconds(999), 2'000), AdmissionRefusal::none) << "not looked at yet";
    EXPECT_EQ(memory_looks, 1);
    EXPECT_EQ(judged(milliseconds(1), 1'000), AdmissionRefusal::memory);
    EXPECT_TRUE(admission.overloaded(AdmissionMarks(limits), at));
    // Above the mark it is looked at every five seconds.
    EXPECT_EQ(judged(milliseconds(4'999), 0), AdmissionRefusal::memory);
    EXPECT_EQ(memory_looks, 2);
    EXPECT_EQ(judged(milliseconds(1), 900), AdmissionRefusal::memory) << "not well below";
    EXPECT_EQ(judged(milliseconds(5'000), 899), AdmissionRefusal::none);
    EXPECT_FALSE(admission.overloaded(AdmissionMarks(limits), at));
    EXPECT_EQ(judged(milliseconds(1'000), 950), AdmissionRefusal::none) << "the mark is above it";
}

TEST(Admission, HoldsOnlyTheNumberOfConnectionsWhereLimitsAreOff) {
    core::LimitsConfig limits;
    limits.enabled = false;
    limits.connections = 2;
    limits.handshakes = {0.001, 1};
    limits.memory = 1;
    memory_read = 2;
    Admission admission(&read_memory);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(admission.judge(limits, start), AdmissionRefusal::none);
    EXPECT_FALSE(admission.overloaded(AdmissionMarks(limits), start));
    const AdmissionTicket one = admission.admit();
    const AdmissionTicket two = admission.admit();
    EXPECT_EQ(admission.judge(limits, start), AdmissionRefusal::connections);
}

TEST(AdmissionTicket, GivesItsPlaceBackOnceWhereverItWent) {
    Admission admission;
    {
        AdmissionTicket first = admission.admit();
        EXPECT_EQ(first.count_for(key_of("192.0.2.1")), 1U);
        AdmissionTicket second = std::move(first);
        EXPECT_EQ(admission.now(), 1U);
        AdmissionTicket other = admission.admit();
        EXPECT_EQ(other.count_for(key_of("192.0.2.1")), 2U);
        other = std::move(second);
        EXPECT_EQ(admission.now(), 1U);
        EXPECT_EQ(admission.addresses().addresses(), 1U);
    }
    EXPECT_EQ(admission.now(), 0U);
    EXPECT_EQ(admission.addresses().addresses(), 0U);
}

TEST(AdmissionRefusal, IsSaidAndCountedByItsCause) {
    for (const auto refusal :
         {AdmissionRefusal::draining, AdmissionRefusal::connections, AdmissionRefusal::memory,
          AdmissionRefusal::handshakes, AdmissionRefusal::address}) {
        EXPECT_EQ(row_of(refusal).refusal, refusal);
        EXPECT_FALSE(row_of(refusal).detail.empty());
    }
}

TEST(ResidentMemory, IsThatOfThisProcess) {
    const std::size_t before = resident_bytes();
    EXPECT_GT(before, std::size_t{1} << 20U);
    const std::vector<char> touched(64U << 20U, 'x');
    EXPECT_GE(resident_bytes(), before + (32U << 20U)) << touched.back();
}

TEST(AddressTable, CountsEachIpv4AddressAndEachIpv6NetworkOf64Bits) {
    AddressTable table;
    EXPECT_EQ(table.add(key_of("192.0.2.1")), 1U);
    EXPECT_EQ(table.add(key_of("192.0.2.2")), 1U);
    EXPECT_EQ(table.add(key_of("::ffff:192.0.2.1")), 2U) << "the same address";
    EXPECT_EQ(table.add(key_of("2001:db8:1:2::1")), 1U);
    EXPECT_EQ(table.add(key_of("2001:db8:1:2:ffff:ffff:ffff:ffff")), 2U);
    EXPECT_EQ(table.add(key_of("2001:db8:1:3::1")), 1U);
    EXPECT_EQ(table.add(key_of("::1")), 1U);
    EXPECT_EQ(table.addresses(), 5U);
    table.remove(key_of("2001:db8:1:2::5"));
    EXPECT_EQ(table.add(key_of("2001:db8:1:2::6")), 2U);
    for (const char* gone : {"192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8:1:2::", "::1",
                             "2001:db8:1:2::", "2001:db8:1:3::"}) {
        table.remove(key_of(gone));
    }
    EXPECT_EQ(table.addresses(), 0U);
}

}  // namespace
}  // namespace parley::transports
