#include "loadtest/persona.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "loadtest/luck.hpp"
#include "loadtest/scenario.hpp"

namespace parley::load {
namespace {

using namespace std::chrono_literals;

Persona persona(const char* name, Persona::Kind kind, double weight) {
    Persona persona;
    persona.name = name;
    persona.kind = kind;
    persona.weight = weight;
    if (kind == Persona::Kind::rest_publisher) persona.transport = Transport::rest;
    if (kind == Persona::Kind::poller) persona.transport = Transport::longpoll;
    if (kind == Persona::Kind::churner) persona.churn_per_s = 1;
    return persona;
}

std::vector<Persona> everybody() {
    using Kind = Persona::Kind;
    return {persona("listeners", Kind::listener, 50), persona("talkers", Kind::talker, 20),
            persona("slow", Kind::slow_reader, 10),   persona("bots", Kind::rest_publisher, 5),
            persona("passers-by", Kind::churner, 5),  persona("polls", Kind::poller, 10)};
}

Scenario cast_of(std::vector<Persona> personas, std::uint32_t connections, std::uint32_t rooms) {
    Scenario scenario;
    scenario.url = {"127.0.0.1", 8080, "/ws", false};
    scenario.connections = connections;
    scenario.rooms = rooms;
    scenario.personas = std::move(personas);
    assign_parts(scenario);
    return scenario;
}

TEST(Personas, EverybodyIsSomebodyInProportion) {
    for (std::uint32_t connections = 6; connections <= 400; ++connections) {
        const double weights[] = {50, 20, 10, 5, 5, 10};
        const auto counts = share_out(weights, connections);
        EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0u), connections);
        for (std::size_t i = 0; i < counts.size(); ++i) {
            EXPECT_GE(counts[i], 1u);
            const double due = weights[i] / 100 * connections;
            if (connections >= 20) {
                EXPECT_NEAR(counts[i], due, 1.5) << connections;
            }
        }
    }
}

TEST(Cast, PublishersHaveTheFirstNumbersAndPlacesOfTheirOwnInTheirRooms) {
    for (const std::uint32_t rooms : {1u, 2u, 3u, 7u, 20u}) {
        const Scenario s = cast_of(everybody(), 200, rooms);
        ASSERT_EQ(s.publishers(), 50u);
        std::vector<std::vector<bool>> taken(rooms);
        for (std::uint32_t room = 0; room < rooms; ++room) {
            taken[room].resize(s.publishers_in(room), false);
        }
        for (std::uint32_t user = 0; user < 200; ++user) {
            EXPECT_EQ(s.persona_of(user)->publishes(), user < 50);
            ASSERT_LT(s.room_of(user), rooms);
            if (user >= 50) continue;
            auto& seats = taken[s.room_of(user)];
            ASSERT_LT(s.member_of(user), seats.size());
            EXPECT_FALSE(seats[s.member_of(user)]);
            seats[s.member_of(user)] = true;
        }
    }
}

TEST(Cast, AnyPartOfTheListenersHasALikePartOfEachPersona) {
    const Scenario s = cast_of(everybody(), 1000, 10);
    const std::uint32_t publishers = s.publishers();
    std::vector<std::uint32_t> seen(s.personas.size(), 0);
    for (std::uint32_t user = publishers; user < 1000; ++user) {
        ++seen[s.cast->persona_of(user)];
        const double part = static_cast<double>(user + 1 - publishers) / (1000 - publishers);
        for (std::size_t i = 0; i < seen.size(); ++i) {
            if (s.personas[i].publishes()) continue;
            EXPECT_NEAR(seen[i], part * s.cast->groups()[i].count, 1.01);
        }
    }
}

TEST(Cast, ASkewedPersonaIsInTheFirstRoomsAsItsWeightsSay) {
    Persona skewed = persona("listeners", Persona::Kind::listener, 1);
    skewed.skew = 1;
    constexpr std::uint32_t rooms = 10;
    constexpr std::uint32_t users = 2000;
    const Scenario s = cast_of({skewed}, users, rooms);
    std::vector<double> count(rooms, 0);
    for (std::uint32_t user = 0; user < users; ++user) ++count[s.room_of(user)];
    double whole = 0;
    for (std::uint32_t room = 0; room < rooms; ++room) whole += 1.0 / (room + 1);
    for (std::uint32_t room = 0; room < rooms; ++room) {
        EXPECT_NEAR(count[room], users / whole / (room + 1), 5) << room;
    }
}

TEST(Cast, TheScenarioFollowsThePersonas) {
    const Scenario s = cast_of(everybody(), 100, 4);
    EXPECT_EQ(s.slow_readers(), 10u);
    EXPECT_TRUE(s.mix.has(Transport::rest));
    EXPECT_TRUE(s.mix.has(Transport::longpoll));
    EXPECT_EQ(s.mix.percent(Transport::websocket), 85u);
    std::uint32_t churners = 0;
    std::uint32_t slow = 0;
    for (std::uint32_t user = 0; user < 100; ++user) {
        churners += s.may_churn(user);
        slow += s.is_slow(user);
        EXPECT_EQ(s.transport_of(user), s.persona_of(user)->transport);
    }
    EXPECT_EQ(churners, 5u);
    EXPECT_EQ(slow, 10u);
    EXPECT_EQ(scenario_problem(s), std::nullopt);
}

TEST(Cast, RatesAreSharedAsThePersonasSayOrByTheirUsers) {
    Scenario s = cast_of(everybody(), 100, 4);
    EXPECT_EQ(rate_parts(s), (std::vector<double>{0, 0.8, 0, 0.2, 0, 0}));
    auto personas = everybody();
    personas[1].rate_per_s = 30;
    personas[3].rate_per_s = 10;
    s = cast_of(personas, 100, 4);
    EXPECT_EQ(rate_parts(s), (std::vector<double>{0, 0.75, 0, 0.25, 0, 0}));
    EXPECT_EQ(own_rate(personas), 40);
    EXPECT_EQ(own_rate(everybody()), std::nullopt);
}

TEST(SizeModel, SizesStayInTheirBoundsAndHaveTheirMiddle) {
    const SizeModel fixed{SizeModel::Kind::fixed, 100, 100, 0, 0};
    const SizeModel uniform{SizeModel::Kind::uniform, 64, 512, 0, 0};
    const SizeModel lognormal{SizeModel::Kind::lognormal, 34, 4000, 120, 0.8};
    for (const SizeModel& model : {fixed, uniform, lognormal}) {
        Luck luck(7);
        std::vector<std::uint32_t> sizes;
        for (int i = 0; i < 20'001; ++i) {
            sizes.push_back(model.draw(luck.next()));
            ASSERT_GE(sizes.back(), model.min);
            ASSERT_LE(sizes.back(), model.max);
        }
        std::nth_element(sizes.begin(), sizes.begin() + 10'000, sizes.end());
        const double middle = model.kind == SizeModel::Kind::fixed     ? 100
                              : model.kind == SizeModel::Kind::uniform ? 288
                                                                       : 120;
        EXPECT_NEAR(sizes[10'000], middle, middle * 0.03);
    }
    EXPECT_EQ(uniform.draw(0), 64u);
    EXPECT_EQ(uniform.draw(~std::uint64_t{0}), 512u);
    for (const std::uint64_t luck : {std::uint64_t{0}, ~std::uint64_t{0}}) {
        EXPECT_GE(lognormal.draw(luck), 34u);
        EXPECT_LE(lognormal.draw(luck), 4000u);
    }
}

TEST(Personas, EveryRefusalNamesItsPersona) {
    struct Case {
        const char* words;
        std::function<void(std::vector<Persona>&)> break_it;
    };
    const Case cases[] = {
        {"two of this name", [](auto& p) { p[1].name = p[0].name; }},
        {"has no name", [](auto& p) { p[0].name = ""; }},
        {"'talkers': transport rest goes", [](auto& p) { p[1].transport = Transport::rest; }},
        {"'bots': transport rest goes", [](auto& p) { p[3].transport = Transport::sse; }},
        {"'polls': a poller's transport", [](auto& p) { p[5].transport = Transport::websocket; }},
        {"'talkers': size", [](auto& p) { p[1].size.min = 33; }},
        {"'talkers': size", [](auto& p) { p[1].size.max = 64; }},
        {"'talkers': size", [](auto& p) { p[1].size.max = (1u << 20) + 1; }},
        {"'talkers': a lognormal",
         [](auto& p) {
             p[1].size = {SizeModel::Kind::lognormal, 34, 100, 0, 1};
         }},
        {"'talkers': rate",
         [](auto& p) {
             p[1].rate_per_s = -1;
             p[3].rate_per_s = 1;
         }},
        {"'bots': its rate is missing", [](auto& p) { p[1].rate_per_s = 1; }},
        {"'slow': skew", [](auto& p) { p[2].skew = 11; }},
        {"'slow': a slow reader", [](auto& p) { p[2].reading.bytes = 0; }},
        {"'passers-by': churn", [](auto& p) { p[4].churn_per_s = 0; }},
        {"'passers-by': away", [](auto& p) { p[4].away = 25h; }},
        {"'passers-by': resume",
         [](auto& p) {
             p[4].transport = Transport::socketio;
             p[4].resumes = true;
         }},
        {"'listeners': share", [](auto& p) { p[0].weight = 0; }},
        {"16 personas", [](auto& p) { p.resize(17); }},
    };
    for (const Case& c : cases) {
        Scenario scenario = cast_of(everybody(), 100, 4);
        c.break_it(scenario.personas);
        const auto problem = scenario_problem(scenario);
        ASSERT_TRUE(problem) << c.words;
        EXPECT_NE(problem->find(c.words), std::string::npos) << *problem;
    }
}

}  // namespace
}  // namespace parley::load
