// `/api/v1/rooms/{room}/files`, `/api/v1/files/{id}`: files.
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include "core/at_home.hpp"
#include "core/hub.hpp"
#include "core/limits.hpp"
#include "core/question.hpp"
#include "core/room_access.hpp"
#include "core/session.hpp"
#include "core/visitor.hpp"
#include "protocol/content_disposition.hpp"
#include "protocol/header_list.hpp"
#include "transports/credential.hpp"
#include "transports/files/file_answers.hpp"
#include "transports/files/file_source.hpp"
#include "transports/files/upload_sink.hpp"
#include "transports/frontend_table.hpp"
#include "transports/gate.hpp"
#include "transports/http_negotiate.hpp"
#include "transports/query_string.hpp"
#include "transports/rate_limit_headers.hpp"
#include "transports/rest/rest_answers.hpp"
#include "transports/rest/rest_input.hpp"
#include "transports/room_request.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view files_leaf = "files";
constexpr std::size_t page_default = 50;
constexpr std::string_view no_files = "files are off on this server: its [files] folder is not set";
constexpr std::string_view no_room =
    "a room's name is 1 to 128 of letters, digits and ._:@- and begins with a letter or digit";

// Who asks, and the headers that every answer to them has.
struct Caller {
    core::UserPtr user;
    HttpHeaders headers;
};
// The answer instead, where they may not, or not yet.
using Admitted = std::variant<Caller, HttpResponse>;

// Whether somebody may, as their room's home says; or why not.
using Leave = core::Answered<core::Standing>;

std::optional<protocol::Error> why_not(const Leave& leave) {
    if (leave) return std::nullopt;
    return leave.error();
}

// The room whose readers an answer of the store's is for; empty: it is for who asked.
const std::string& room_of_answer(const core::OpenFile& file) noexcept {
    return file.info.room;
}
// A page of the files of a room.
struct RoomFiles {
    std::string room;
    core::FileList list;
};
const std::string& room_of_answer(const RoomFiles& files) noexcept {
    return files.room;
}
const std::string& room_of_answer(const core::FileInfo&) noexcept {
    static const std::string none;
    return none;
}

bool is_file_id(std::string_view text) noexcept {
    return text.size() == 22 && text.find_first_not_of(
                                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "abcdefghijklmnopqrstuvwxyz"
                                    "0123456789-_") == std::string_view::npos;
}

std::optional<std::string> room_of(std::string_view path) {
    auto room = decode_query_text(*room_in_path(path, files_leaf));
    if (!room || !core::is_room_name(*room)) return std::nullopt;
    return room;
}

// The name of an upload: what its Content-Disposition says, or else `?filename=`.
std::string sent_file_name(const Exchange& exchange) {
    const std::string_view header = exchange.request[http::field::content_disposition];
    if (const auto disposition = protocol::parse_content_disposition(header);
        disposition && disposition->filename) {
        return *disposition->filename;
    }
    return find_parameter(exchange.query, "filename").value_or(std::string());
}

std::optional<std::uint64_t> content_length(const HttpRequest& request) noexcept {
    const std::string_view text = request[http::field::content_length];
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
    return length;
}

// ?before=&limit= of a list; or what is wrong with them.
std::variant<core::FileListAsk, HttpResponse> read_list_ask(std::string room,
                                                            std::string_view query) {
    core::FileListAsk ask{std::move(room), std::nullopt, page_default};
    QueryParameter parameter;
    while (next_parameter(query, parameter)) {
        const bool is_limit = parameter.name == "limit";
        if (!is_limit && parameter.name != "before") continue;
        const std::string_view text = parameter.value;
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool whole = error == std::errc() && end == text.data() + text.size();
        if (!is_limit) {
            if (!whole) return problem(400, "\"before\" is the \"next\" of the page before");
            ask.before = number;
        } else if (!whole || number < 1 || number > core::limits::history_answer_max) {
            return problem(400, "\"limit\" must be an integer from 1 to " +
                                    std::to_string(core::limits::history_answer_max));
        } else {
            ask.limit = static_cast<std::size_t>(number);
        }
    }
    return ask;
}

class FilesFrontend final : public Frontend {
public:
    explicit FilesFrontend(Gate& gate) noexcept : gate_(&gate) {}

    bool owns(const HttpTarget& target) const noexcept override {
        return room_in_path(target.path, files_leaf).has_value() ||
               target.path.starts_with(files_path);
    }
    bool streams(const HttpRequest& request, const HttpTarget& target) const noexcept override {
        return request.method() == http::verb::post &&
               room_in_path(target.path, files_leaf).has_value();
    }

    bool takes_tokens() const noexcept override { return true; }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        auto response = ask(exchange);
        if (response) note(*response);
        return response;
    }
    BodyIntake receive(Exchange& exchange) override {
        BodyIntake intake = take_in(exchange);
        if (intake.refusal) note(*intake.refusal);
        return intake;
    }

private:
    [[nodiscard]] std::optional<HttpResponse> ask(Exchange& exchange);
    [[nodiscard]] BodyIntake take_in(Exchange& exchange);
    [[nodiscard]] Admitted admit(const Exchange& exchange) const;
    [[nodiscard]] std::optional<HttpResponse> list(Exchange& exchange, Caller caller);
    [[nodiscard]] std::optional<HttpResponse> download(Exchange& exchange, Caller caller);
    [[nodiscard]] std::optional<HttpResponse> remove(Exchange& exchange, Caller caller);
    // Whether that user may do so in that room: at once where its home is here, else what
    // `make_done()` gave is told.
    template <typename MakeDone>
    [[nodiscard]] std::optional<Leave> ask_leave(core::Act act, const std::string& room,
                                                 const core::UserPtr& user, MakeDone make_done);
    // What the store is to call: gives `render(answer)` on this shard to whoever still waits, and may
    // read the room that the answer is of.
    template <typename T, typename Render>
    [[nodiscard]] core::FileStore::Done<T> answer_later(Exchange& exchange, Caller&& caller,
                                                        Render render);
    [[nodiscard]] core::FileStore& store() const noexcept { return *gate_->file_store(); }

    void note(const HttpResponse& response) {
        if (response.status >= 400) gate_->shard().metrics().add(core::Metric::errors);
    }
    [[nodiscard]] HttpResponse refused_room(const protocol::Error& why, const Caller& caller) {
        store().note_refusal(core::FileRefusal::not_readable);
        return with_headers(answer_error(why), HttpHeaders(caller.headers));
    }

    Gate* gate_;
};

Admitted FilesFrontend::admit(const Exchange& exchange) const {
    const RestHeaders headers(exchange.request);
    if (auto refusal = refuse_identity(exchange)) return std::move(*refusal);
    const core::LimitsConfig& limits = gate_->shard().config().limits;
    core::Visitor visitor(gate_->shard(), exchange.peer.address().to_string());
    if (const auto refused = visitor.admit_address()) return answer_error(*refused);
    auto name = find_parameter(exchange.query, "name");
    if (!name && headers.name) name = std::string(protocol::trim(*headers.name));
    if (name) {
        if (const auto reason = core::refuse_name(*name, limits.name_bytes)) {
            return problem(400, *reason);
        }
    }
    if (auto refusal = name_visitor(visitor, gate_->shard().hub(), exchange.identity, name)) {
        return std::move(*refusal);
    }
    HttpResponse told;
    const auto refused = visitor.admit_user();
    add_rate_limit(told, visitor.buckets(), limits, gate_->shard().now().mono);
    if (refused) return with_headers(answer_error(*refused), std::move(told.headers));
    return Caller{visitor.user(), std::move(told.headers)};
}

std::optional<HttpResponse> FilesFrontend::ask(Exchange& exchange) {
    const http::verb method = exchange.request.method();
    const bool asks = method == http::verb::get || method == http::verb::head;
    const bool of_room = room_in_path(exchange.path, files_leaf).has_value();
    if (gate_->file_store() == nullptr) return problem(404, no_files);
    if (!asks && (of_room || method != http::verb::delete_)) {
        return method_not_allowed(of_room ? "GET, HEAD, POST" : "GET, HEAD, DELETE");
    }
    Admitted admitted = admit(exchange);
    if (auto* const refusal = std::get_if<HttpResponse>(&admitted)) return std::move(*refusal);
    auto& caller = std::get<Caller>(admitted);
    if (of_room) return list(exchange, std::move(caller));
    return asks ? download(exchange, std::move(caller)) : remove(exchange, std::move(caller));
}

template <typename MakeDone>
std::optional<Leave> FilesFrontend::ask_leave(core::Act act, const std::string& room,
                                              const core::UserPtr& user, MakeDone make_done) {
    const auto ask = [act, room, user](core::Shard& home) -> Leave {
        if (auto refused = core::refuse_at_home(home, room, *user, act)) {
            return std::move(*refused);
        }
        return core::Standing{};
    };
    return core::ask_home(gate_->shard(), room, ask, make_done);
}

template <typename T, typename Render>
core::FileStore::Done<T> FilesFrontend::answer_later(Exchange& exchange, Caller&& caller,
                                                     Render render) {
    core::Shard& shard = gate_->shard();
    return [this, shard = &shard, later = exchange.answer_later(gate_->thread().executor()),
            caller = std::move(caller), render](core::FileAnswer<T>&& answer) {
        shard->post([this, later, caller, render, answer = std::move(answer)](core::Shard& here) {
            const auto give = [later, caller, render, answer, &here,
                               files = &store()](const Leave& leave) {
                const auto open = later.lock();
                if (!open) return;
                if (!leave) files->note_refusal(core::FileRefusal::not_readable);
                HttpResponse response = !answer  ? answer_file_problem(answer.error())
                                        : !leave ? answer_error(leave.error())
                                                 : render(here, caller, *answer);
                if (response.status >= 400) here.metrics().add(core::Metric::errors);
                open->give(with_headers(std::move(response), HttpHeaders(caller.headers)));
            };
            const std::string room = answer ? room_of_answer(*answer) : std::string();
            if (room.empty()) return give(core::Standing{});
            const auto told = ask_leave(core::Act::read, room, caller.user,
                                        [&give] { return [give](Leave&& leave) { give(leave); }; });
            if (told) give(*told);
        });
    };
}

// ---- the way in ------------------------------------------------------------------------------

BodyIntake FilesFrontend::take_in(Exchange& exchange) {
    if (gate_->file_store() == nullptr) return {problem(404, no_files), {}};
    const auto room = room_of(exchange.path);
    if (!room) return {problem(400, no_room), {}};
    const std::string_view coding = exchange.request[http::field::content_encoding];
    if (!coding.empty() && !boost::beast::iequals(coding, "identity")) {
        return {problem(415, "a file is taken as it is, not compressed"), {}};
    }
    Admitted admitted = admit(exchange);
    if (auto* const refusal = std::get_if<HttpResponse>(&admitted)) {
        return {std::move(*refusal), {}};
    }
    auto& caller = std::get<Caller>(admitted);
    if (const auto refused = core::refuse_write(*caller.user, *room)) {
        return {refused_room(*refused, caller), {}};
    }

    const auto length = content_length(exchange.request);
    const std::string_view type = exchange.request[http::field::content_type];
    const bool form = protocol::equal_any_case(media_type(type), "multipart/form-data");
    const auto boundary = protocol::multipart_boundary(type);
    if (form && !boundary) {
        store().note_refusal(core::FileRefusal::malformed);
        return {problem(400, "a form comes with its boundary in Content-Type"), {}};
    }
    const std::size_t size_max = store().config().size_max;
    if (form && length.value_or(0) > size_max + form_bytes_max) {
        store().note_refusal(core::FileRefusal::size);
        return {answer_file_problem({core::FileRefusal::size,
                                     "a file has at most " + std::to_string(size_max) + " bytes"}),
                {}};
    }
    core::NewFile file{*room, caller.user->who.id, {}, {}, std::nullopt};
    auto sink = std::make_shared<UploadSink>(gate_->shard(), gate_->thread().executor(), store(),
                                             std::move(caller.headers));
    if (form) {
        sink->await_leave([file = std::move(file), boundary = *boundary](UploadSink& begun) {
            begun.begin_form(file, boundary);
        });
    } else {
        file.name = protocol::clean_file_name(sent_file_name(exchange));
        file.declared_type = media_type(type);
        file.size = length;
        sink->await_leave([file = std::move(file)](UploadSink& begun) { begun.begin_file(file); });
    }
    const auto told = ask_leave(core::Act::send, *room, caller.user, [&sink] {
        return [weak = std::weak_ptr(sink)](Leave&& leave) {
            if (const auto open = weak.lock()) open->give_leave(why_not(leave));
        };
    });
    if (told) sink->give_leave(why_not(*told));
    return {std::nullopt, std::move(sink)};
}

// ---- the way out -----------------------------------------------------------------------------

std::optional<HttpResponse> FilesFrontend::list(Exchange& exchange, Caller caller) {
    const auto room = room_of(exchange.path);
    if (!room) return with_headers(problem(400, no_room), std::move(caller.headers));
    if (const auto refused = core::refuse_read(*caller.user, *room)) {
        return refused_room(*refused, caller);
    }
    auto read = read_list_ask(*room, exchange.query);
    if (auto* const refusal = std::get_if<HttpResponse>(&read)) {
        return with_headers(std::move(*refusal), std::move(caller.headers));
    }
    caller.headers.emplace_back("Cache-Control", "no-store");
    const auto render = [](core::Shard&, const Caller&, const RoomFiles& files) {
        return answer_file_list(files.room, files.list);
    };
    auto done = answer_later<RoomFiles>(exchange, std::move(caller), render);
    store().list(std::move(std::get<core::FileListAsk>(read)),
                 [room = *room, done = std::move(done)](core::FileAnswer<core::FileList>&& list) {
                     if (!list) return done(list.error());
                     done(RoomFiles{room, std::move(*list)});
                 });
    return std::nullopt;
}

std::optional<HttpResponse> FilesFrontend::download(Exchange& exchange, Caller caller) {
    const std::string_view id = exchange.path.substr(files_path.size());
    if (!is_file_id(id)) {
        store().note_refusal(core::FileRefusal::not_found);
        return with_headers(answer_file_problem({core::FileRefusal::not_found, {}}),
                            std::move(caller.headers));
    }
    const HttpRequest& request = exchange.request;
    const bool head = request.method() == http::verb::head;
    DownloadAsk asked{std::string(request[http::field::if_none_match]),
                      head ? std::string() : std::string(request[http::field::range]),
                      std::string(request[http::field::if_range])};
    const auto render = [asked = std::move(asked), head, executor = gate_->thread().executor(),
                         files = &store()](core::Shard& here, const Caller& who,
                                           const core::OpenFile& file) {
        if (const auto refused = core::refuse_read(*who.user, file.info.room)) {
            files->note_refusal(core::FileRefusal::not_readable);
            return answer_error(*refused);
        }
        protocol::ByteRange range;
        HttpResponse response = answer_download(file.info, asked, range);
        if (response.status != 200 && response.status != 206) return response;
        const bool part = response.status == 206;
        const std::uint64_t length = part ? range.last - range.first + 1 : file.info.size;
        response.source = std::make_shared<FileSource>(here, executor, head ? nullptr : file.reader,
                                                       part ? range.first : 0, length);
        return response;
    };
    store().open(std::string(id),
                 answer_later<core::OpenFile>(exchange, std::move(caller), render));
    return std::nullopt;
}

std::optional<HttpResponse> FilesFrontend::remove(Exchange& exchange, Caller caller) {
    caller.headers.emplace_back("Cache-Control", "no-store");
    const std::string_view id = exchange.path.substr(files_path.size());
    const auto render = [](core::Shard&, const Caller&, const core::FileInfo&) {
        HttpResponse response;
        response.status = 204;
        return response;
    };
    const core::UserPtr user = caller.user;
    auto done = answer_later<core::FileInfo>(exchange, std::move(caller), render);
    // Whose token is good for reading only, or for other rooms, removes nothing by it.
    const core::Grant* const grant = user->grant();
    if (grant == nullptr || (grant->writes && grant->all_rooms)) {
        store().remove(std::string(id), user->who.id, std::move(done));
        return std::nullopt;
    }
    const auto remove = [id = std::string(id), user, done = std::move(done),
                         files = &store()](core::FileAnswer<core::OpenFile>&& file) {
        if (!file) return done(core::FileProblem(file.error()));
        if (auto refused = core::refuse_write(*user, file->info.room)) {
            return done(core::FileProblem{core::FileRefusal::not_owner, refused->message});
        }
        files->remove(id, user->who.id, done);
    };
    store().open(std::string(id), remove);
    return std::nullopt;
}

}  // namespace

std::unique_ptr<Frontend> make_files_frontend(Gate& gate) {
    return std::make_unique<FilesFrontend>(gate);
}

}  // namespace parley::transports
