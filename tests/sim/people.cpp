// What the people of a Simulation do and hear.
#include "core/subscriber.hpp"
#include "sim/simulation.hpp"

namespace parley::sim {
namespace {

using test::TestTransport;

// FNV-1a.
void mix(std::uint64_t& hash, std::string_view text) {
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3ULL;
    }
}

}  // namespace

void Simulation::act(Person& person) {
    if (!person.session) return open(person);
    if (person.transport->closed_for && one_in(2)) {
        return end(person, *person.transport->closed_for);
    }
    switch (draw(20)) {
        case 0:
            end(person, core::close_reasons::vanished);
            break;
        case 1:
            if (one_in(3)) end(person, core::close_reasons::going_away);
            break;
        case 2:
        case 3:
            block_or_unblock(person);
            break;
        default:
            command(person);
            break;
    }
}

void Simulation::open(Person& person) {
    if (one_in(4)) person.shard = draw(options_.shards);
    person.transport = std::make_unique<TestTransport>();
    person.session = core::Subscriber::open(hub_->shard(person.shard), *person.transport,
                                            {"10.0.0.1", person.name});
    person.blocked = false;
    sessions_.push_back(person.session);
    // Some come back to where they were, as far as they know.
    for (const auto& room : rooms_) {
        if (person.seen.contains(room) && person.session->ready() && one_in(2)) join(person, room);
    }
}

void Simulation::end(Person& person, const core::CloseReason& reason) {
    person.session->closed(reason);
    person.session.reset();
    person.transport.reset();
    person.places.clear();
    person.asked.clear();
}

void Simulation::block_or_unblock(Person& person) {
    if (person.blocked) return unblock(person, one_in(4) ? draw(6) : TestTransport::unlimited);
    if (!one_in(3)) return;
    person.blocked = true;
    person.transport->frames_left = draw(4);
}

void Simulation::unblock(Person& person, std::size_t frames) {
    person.blocked = frames != TestTransport::unlimited;
    person.transport->frames_left = frames;
    // A transport that never said that it is blocked has nothing to take back.
    if (std::exchange(person.transport->told_blocked, false)) person.session->writable();
    listen();
}

void Simulation::command(Person& person) {
    if (!person.session->ready()) return;
    const std::string any = any_room();
    if (person.places.empty() || one_in(6)) return join(person, any);
    // Mostly about a room that it is in.
    const auto place =
        std::next(person.places.begin(), static_cast<std::ptrdiff_t>(draw(person.places.size())));
    const std::string room = one_in(20) ? any : place->first;
    switch (draw(20)) {
        case 0:
            say(person, protocol::Typing{room, one_in(2)});
            break;
        case 1:
            say(person, protocol::Read{room, draw(100)});
            break;
        case 2:
            say(person, protocol::Members{any});
            break;
        case 3:
            say(person, page_of(person, any));
            break;
        case 4:
            say(person, protocol::Leave{room});
            break;
        case 5:
            say(person, protocol::Ping{});
            break;
        default:
            for (auto messages = one_in(8) ? draw(50) : 1; messages > 0; --messages) {
                if (person.session->ready()) send(person, room);
            }
            break;
    }
}

protocol::History Simulation::page_of(const Person& person, const std::string& room) {
    protocol::History page{room, std::nullopt, std::nullopt, static_cast<std::uint32_t>(draw(20))};
    const auto seen = person.seen.find(room);
    if (seen == person.seen.end()) return page;
    if (one_in(2)) {
        page.since = seen->second;
    } else if (one_in(2)) {
        page.before = seen->second;
    }
    return page;
}

void Simulation::join(Person& person, const std::string& room) {
    Asked asked;
    asked.join.history = static_cast<std::uint32_t>(draw(60));
    asked.join.presence = one_in(2);
    if (const auto seen = person.seen.find(room); seen != person.seen.end() && !one_in(4)) {
        asked.join.since = seen->second;
        // What was written to a connection that broke has not always arrived.
        asked.join.since->offset -= std::min<std::uint64_t>(draw(4), seen->second.offset);
    }
    const protocol::Join join{room, asked.join.since, asked.join.history, asked.join.presence};
    say(person, join, asked);
}

void Simulation::send(Person& person, const std::string& room) {
    Asked asked;
    if (one_in(4)) {
        asked.key = "k" + std::to_string(draw(5));
        asked.text = "keyed " + asked.key + " by " + person.name;
    } else {
        asked.text = "message " + std::to_string(next_id_);
        if (one_in(10)) asked.text += std::string(draw(3000), '.');
    }
    say(person, protocol::Send{room, {protocol::Body::Kind::text, asked.text}, asked.key, {}},
        asked);
}

void Simulation::say(Person& person, protocol::Command command, Asked asked) {
    if (auto refused = person.session->admit()) {
        return person.session->refuse(protocol::CommandId{}, std::move(*refused));
    }
    const auto id = ++next_id_;
    person.asked[id] = std::move(asked);
    person.session->handle({id, std::move(command)});
}

void Simulation::listen() {
    for (auto& person : people_) {
        if (person.session) listen(person);
    }
}

void Simulation::listen(Person& person) {
    if (person.transport->bytes.empty()) return;
    for (const auto& text : person.transport->take_texts()) {
        mix(outcome_.trace, person.name);
        mix(outcome_.trace, text);
        hear(person, test::parsed(text));
    }
}

void Simulation::hear(Person& person, const protocol::ServerFrame& frame) {
    const auto& said = frame.message;
    if (const auto* message = std::get_if<protocol::Message>(&said)) {
        ++outcome_.messages_heard;
        if (++pushes_ == options_.hide_push) return;
        check_.pushed(person.name, person.places[message->room], *message);
        person.seen[message->room] = message->cursor;
    } else if (const auto* gap = std::get_if<protocol::Gap>(&said)) {
        check_.gap(person.name, person.places[gap->room], *gap);
        person.seen[gap->room] = gap->cursor;
    } else if (const auto* push = std::get_if<protocol::PresencePush>(&said)) {
        check_.presence(person.name, person.places[push->room], *push);
    } else if (const auto* left = std::get_if<protocol::Left>(&said)) {
        person.places.erase(left->room);
    } else if (const auto* page = std::get_if<protocol::HistoryPage>(&said)) {
        check_.page(person.name, *page);
    } else if (const auto* joined = std::get_if<protocol::Joined>(&said)) {
        hear_joined(person, frame.id, *joined);
    } else if (const auto* ack = std::get_if<protocol::Ack>(&said)) {
        hear_ack(person, frame.id, *ack);
    }
}

void Simulation::hear_joined(Person& person, const protocol::CommandId& id,
                             const protocol::Joined& joined) {
    const auto& asked = person.asked.at(std::get<std::int64_t>(id));
    check_.joined(person.name, person.places[joined.room], asked.join, joined);
    person.seen[joined.room] = joined.cursor;
    outcome_.recoveries += joined.recovered ? 1 : 0;
}

void Simulation::hear_ack(Person& person, const protocol::CommandId& id, const protocol::Ack& ack) {
    if (ack.cursor.offset == 0) return;
    const auto& asked = person.asked.at(std::get<std::int64_t>(id));
    const auto published = instants_.find(ack.at);
    if (published == instants_.end()) {
        return check_.fail(person.name + ": an ack from " + ack.at + ", when nothing happened");
    }
    check_.acked(person.name, asked.text, asked.key, ack, published->second);
}

}  // namespace parley::sim
