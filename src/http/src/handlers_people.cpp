#include <jiaozi/api/json.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/registry/people.hpp>

#include "access.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

std::string person_json(const Person& person) {
    return api::json_of(person);
}

void create_person(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(Person person, call.reply, decode_new_person(call.request.body));
    person.id = PersonId(call.object_id);
    JZ_ANSWER_TRY(const Person made, call.reply, call.parts().groups.create_person(std::move(person)));
    call.reply.json(201, person_json(made));
}

void list_people(Call&& call) {
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    const PersonId self = call.person();
    read_and_answer(std::move(call), [page, self](registry::Session& session) -> Result<std::string> {
        if (self) {
            JZ_TRY(const Person person, registry::get_person(session, self));
            return list_json(std::vector<Person>{person}, false, person_json);
        }
        JZ_TRY(const auto people, registry::list_people(session, page));
        return list_json(people.data, people.has_more, person_json);
    });
}

void get_person(Call&& call) {
    JZ_ANSWER_TRY(const PersonId id, call.reply, call.path_id<PersonId>(0, "person"));
    if (!call.is_operator() && id != call.person()) {
        call.reply.fail(no_such("person", id.to_string()));
        return;
    }
    read_and_answer(std::move(call), [id](registry::Session& session) -> Result<std::string> {
        JZ_TRY(const Person person, registry::get_person(session, id));
        return person_json(person);
    });
}

}  // namespace

void add_people_routes(Router& router) {
    router.add({Method::post, "/v1/people", "people", "write", Repeat::stored, create_person});
    router.add({Method::get, "/v1/people", "people", "read", Repeat::none, list_people});
    router.add({Method::get, "/v1/people/{person}", "people", "read", Repeat::none, get_person});
}

}  // namespace jiaozi::http
