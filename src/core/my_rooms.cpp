#include "core/my_rooms.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "core/at_home.hpp"
#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/limits.hpp"
#include "core/question.hpp"
#include "core/room_access.hpp"
#include "core/session.hpp"
#include "core/subscriber.hpp"
#include "protocol/direct_room.hpp"

namespace parley::core {
namespace {

using RoomNames = std::set<std::string>;
using MyRoom = Answered<protocol::MyRoom>;

// Rooms' homes that are asked at a time: those of a store may have to be opened for it.
constexpr std::size_t my_rooms_at_once = 16;

// The rooms of a user, while their homes are being asked.
struct Gathering {
    Shard* here;
    UserPtr user;
    std::function<void(Answered<protocol::MyRooms>&&)> done;
    std::vector<ReadMark> to_ask;
    std::size_t asked = 0;
    std::size_t answered = 0;
    protocol::MyRooms rooms{};
};
using GatheringPtr = std::shared_ptr<Gathering>;

void ask_homes(const GatheringPtr& gathering);

// One whose home can't answer at the moment is theirs all the same.
protocol::MyRoom unavailable_room(const Config& config, const std::string& name) {
    protocol::MyRoom room;
    room.room = name;
    room.kind = protocol::is_direct_room(name) ? protocol::direct_kind
                                               : name_of(kind_of(config.rooms, name));
    room.unavailable = true;
    return room;
}

void take(const GatheringPtr& gathering, const std::string& name, MyRoom&& room) {
    ++gathering->answered;
    auto& rooms = gathering->rooms.rooms;
    if (room) {
        rooms.push_back(std::move(*room));
    } else if (room.error().temporary) {
        rooms.push_back(unavailable_room(gathering->here->config(), name));
    }
    // Else it is gone, or closed to them by now: none of theirs.
}

void finish(Gathering& gathering) {
    std::ranges::sort(gathering.rooms.rooms, {}, &protocol::MyRoom::room);
    gathering.done(std::move(gathering.rooms));
}

void ask_homes(const GatheringPtr& gathering) {
    Gathering& all = *gathering;
    while (all.asked < all.to_ask.size() && all.asked - all.answered < my_rooms_at_once) {
        const ReadMark& mark = all.to_ask[all.asked++];
        const auto ask = [mark, user = all.user](Shard& home, const Later<MyRoom>&) {
            return std::optional<MyRoom>(my_room_at_home(home, mark.room, user, mark));
        };
        auto now = ask_home_later<MyRoom>(*all.here, mark.room, ask, [&gathering, &mark] {
            return [gathering, name = mark.room](MyRoom&& room) {
                take(gathering, name, std::move(room));
                ask_homes(gathering);
            };
        });
        if (now) take(gathering, mark.room, std::move(*now));
    }
    if (all.answered == all.to_ask.size()) finish(all);
}

// Those that they are in come first, where there are too many.
std::vector<ReadMark> choose(const User& user, RoomNames&& joined, std::vector<ReadMark>&& marks) {
    std::vector<ReadMark> chosen;
    const auto add = [&](ReadMark&& mark) {
        if (chosen.size() == limits::my_rooms_max || refuse_read(user, mark.room)) return;
        chosen.push_back(std::move(mark));
    };
    const auto is_joined = [&joined](const ReadMark& mark) { return joined.contains(mark.room); };
    const auto rest = std::ranges::stable_partition(marks, is_joined);
    for (ReadMark& mark : marks) {
        if (&mark == rest.data()) break;
        joined.erase(mark.room);
        add(std::move(mark));
    }
    for (const std::string& room : joined) add({room, {}, 0});
    // Conversations that others began, and they have not read in, take a quarter of it at most from
    // where they have read.
    const auto unread =
        std::ranges::stable_partition(rest, [](const ReadMark& mark) { return mark.offset > 0; });
    const std::size_t left_free = std::min(unread.size(), limits::my_rooms_max / 4);
    for (ReadMark& mark : rest) {
        if (&mark == unread.data() || chosen.size() + left_free >= limits::my_rooms_max) break;
        add(std::move(mark));
    }
    for (ReadMark& mark : unread) add(std::move(mark));
    return chosen;
}

}  // namespace

void list_my_rooms(Shard& here, const UserPtr& user,
                   std::function<void(Answered<protocol::MyRooms>&&)> done) {
    auto with_marks = [&here, user,
                       done = std::move(done)](Recorded<std::vector<ReadMark>>&& marks) mutable {
        if (!marks) return done(marks.error());
        const auto visit = [id = user->who.id](Shard& shard, RoomNames& rooms) {
            for (const Subscriber* session : shard.user_sessions().with_id(id)) {
                session->each_room([&rooms](const std::string& room) { rooms.insert(room); });
            }
        };
        ask_every_shard(here, here, RoomNames(), visit,
                        [&here, user, done = std::move(done),
                         marks = std::move(*marks)](RoomNames&& joined) mutable {
                            ask_homes(std::make_shared<Gathering>(
                                Gathering{&here, user, std::move(done),
                                          choose(*user, std::move(joined), std::move(marks))}));
                        });
    };
    here.hub().read_marks().of_user(here, *user, std::move(with_marks));
}

void list_readers(Shard& here, const UserPtr& user, std::string room,
                  std::function<void(Answered<protocol::ReadList>&&)> done) {
    using At = Answered<protocol::Cursor>;
    const auto ask = [room, user](Shard& home, const Later<At>&) -> std::optional<At> {
        if (auto refused = refuse_at_home(home, room, *user, Act::read)) {
            return At(std::move(*refused));
        }
        const Audience* const audience = home.find_audience(room);
        if (audience == nullptr || audience->home()->vacant()) return At(no_such_room());
        return At(audience->home()->cursor());
    };
    auto found = [&here, room, done = std::move(done)](At&& at) mutable {
        if (!at) return done(at.error());
        auto list = [room, at = *at, done](Recorded<std::vector<Reader>>&& readers) {
            if (!readers) return done(readers.error());
            protocol::ReadList read{room, {}};
            for (Reader& reader : *readers) {
                if (reader.epoch != at.epoch || reader.offset == 0) continue;
                read.read.push_back({std::move(reader.user), std::min(reader.offset, at.offset)});
            }
            done(std::move(read));
        };
        here.hub().read_marks().of_room(here, room, std::move(list));
    };
    auto now = ask_home_later<At>(here, room, ask, [&found] { return found; });
    if (now) found(std::move(*now));
}

Answered<protocol::MyRoom> my_room_at_home(Shard& home, const std::string& room,
                                           const UserPtr& user, const ReadMark& mark) {
    if (auto refused = refuse_at_home(home, room, *user, Act::read)) return std::move(*refused);
    const Audience* const audience = home.find_audience(room);
    if (audience == nullptr || audience->home() == nullptr) return no_such_room();
    return audience->home()->overview(user->who, mark);
}

Answered<protocol::Ack> read_at_home(Shard& home, const UserPtr& user, const protocol::Read& read) {
    const Audience* const audience = home.find_audience(read.room);
    if (audience == nullptr || audience->home() == nullptr || audience->home()->vacant()) {
        return no_such_room();
    }
    const protocol::Cursor at = audience->home()->cursor();
    // Nobody has read what was not said.
    const std::uint64_t offset = std::min(read.offset, at.offset);
    auto told = push_at_home(home, read.room, PublicationKind::read,
                             protocol::ReadPush{read.room, user->who, offset});
    if (told) home.hub().read_marks().note(*user, {read.room, at.epoch, offset});
    return told;
}

}  // namespace parley::core
