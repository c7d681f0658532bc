#include "core/amendment.hpp"

#include <algorithm>
#include <array>

#include "core/file_store.hpp"
#include "core/session.hpp"
#include "protocol/json_codec.hpp"

namespace parley::core {
namespace {

using protocol::Body;
using protocol::Message;

// What says something of another message, or of the room, is not a message of somebody's.
constexpr std::array<std::string_view, 3> not_amendable{protocol::edit_event,
                                                        protocol::delete_event, "topic"};

RetainedPtr kept(const Message& message) {
    std::string json;
    protocol::append_message(json, message);
    return Retained::make(message.cursor.offset, json);
}

bool is_file_id_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
}

}  // namespace

boost::system::result<Message, protocol::Error> judge_amendment(const Amendment& asked,
                                                                const Retained& target,
                                                                const User& user, bool moderates) {
    auto frame = protocol::decode_server_frame(target.json());
    auto* const message = frame ? std::get_if<Message>(&frame->message) : nullptr;
    if (message == nullptr) return make_error(errc::internal, "that message can't be read");
    if (std::ranges::find(not_amendable, message->event) != not_amendable.end()) {
        return make_error(errc::forbidden,
                          "only messages are edited and deleted, and this is a " + message->event);
    }
    if (message->from.id != user.who.id) {
        if (asked.body) {
            return make_error(errc::forbidden, "only who has said something may edit it");
        }
        if (!moderates) {
            return make_error(errc::forbidden,
                              "only who has said something, and moderators, may delete it");
        }
    }
    if (!message->deleted.empty()) {
        return make_error(errc::not_found, "that message was deleted");
    }
    return std::move(*message);
}

protocol::Send publication_of(const Amendment& asked) {
    protocol::Send send;
    send.room = asked.room;
    send.key = asked.key;
    send.event = asked.body ? protocol::edit_event : protocol::delete_event;
    send.body = {Body::Kind::data, asked.body ? protocol::edit_data(asked.offset, &*asked.body)
                                              : protocol::delete_data(asked.offset, asked.reason)};
    return send;
}

Amended amended_by(const Amendment& asked, Message target, const protocol::Cursor& at,
                   std::string_view at_text) {
    Amended amended;
    amended.offset = asked.offset;
    amended.author = target.from;
    amended.reason = asked.reason;
    amended.deleted = !asked.body;
    target.cursor.epoch = at.epoch;
    if (target.edit != 0) {
        // Only its author edits a message: what is known of it is all that there is to its last edit.
        amended.messages.push_back(kept({target.room,
                                         {at.epoch, target.edit},
                                         target.from,
                                         {Body::Kind::data, protocol::edit_data(asked.offset, {})},
                                         std::string(protocol::edit_event),
                                         target.edited}));
    }
    if (asked.body) {
        target.body = *asked.body;
        target.edited = at_text;
        target.edit = at.offset;
    } else {
        amended.files = files_named_in(target.body.content);
        target.body = {};
        target.edited.clear();
        target.edit = 0;
        target.deleted = at_text;
    }
    amended.messages.push_back(kept(target));
    return amended;
}

std::vector<std::string> files_named_in(std::string_view content) {
    // In data a slash may stand behind a backslash.
    std::string plain;
    if (content.find("\\/") != std::string_view::npos) {
        for (std::size_t i = 0; i < content.size(); ++i) {
            if (content[i] == '\\' && i + 1 < content.size() && content[i + 1] == '/') continue;
            plain.push_back(content[i]);
        }
        content = plain;
    }
    std::vector<std::string> found;
    while (found.size() < amended_files_max) {
        const auto at = content.find(file_url_prefix);
        if (at == std::string_view::npos) break;
        content.remove_prefix(at + file_url_prefix.size());
        const auto end = std::ranges::find_if_not(content, is_file_id_character);
        const auto id = content.substr(0, static_cast<std::size_t>(end - content.begin()));
        if (id.size() != file_id_length) continue;
        if (std::ranges::find(found, id) == found.end()) found.emplace_back(id);
    }
    return found;
}

void strike_named_in(std::string_view message, std::vector<std::string>& files) {
    // A word as long as an id has none of its places free of a word's characters: most of a text is
    // passed over by looking at the end of each such stretch.
    for (std::size_t at = 0; at + file_id_length <= message.size() && !files.empty();) {
        std::size_t back = at + file_id_length;
        while (back > at && is_file_id_character(message[back - 1])) --back;
        if (back > at) {
            at = back;
            continue;
        }
        std::size_t end = at + file_id_length;
        while (end < message.size() && is_file_id_character(message[end])) ++end;
        if (end - at == file_id_length) std::erase(files, message.substr(at, file_id_length));
        at = end;
    }
}

RetainedPtr PendingAmendments::find(std::uint64_t offset) const {
    for (auto waiting = waiting_.rbegin(); waiting != waiting_.rend(); ++waiting) {
        for (const RetainedPtr& message : waiting->second.messages) {
            if (message->offset() == offset) return message;
        }
    }
    return nullptr;
}

std::optional<Amended> PendingAmendments::take(std::uint64_t publication) {
    if (waiting_.empty() || waiting_.front().first != publication) return std::nullopt;
    std::optional<Amended> amended(std::move(waiting_.front().second));
    waiting_.pop_front();
    return amended;
}

void PendingAmendments::drop_from(std::uint64_t publication) noexcept {
    while (!waiting_.empty() && waiting_.back().first >= publication) waiting_.pop_back();
}

}  // namespace parley::core
