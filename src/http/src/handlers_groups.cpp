#include <jiaozi/api/json.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/registry/people.hpp>

#include "access.hpp"
#include "memory_page.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

std::string group_json(const Group& group) {
    return api::json_of(group);
}
std::string member_json(const Member& member) {
    return api::json_of(member);
}
std::string limit_json(const Limit& limit) {
    return api::json_of(limit);
}

void create_group(Call&& call) {
    JZ_ANSWER_TRY(NewGroup wanted, call.reply, decode_new_group(call.request.body));
    if (!call.is_operator() && wanted.owner && wanted.owner != call.person()) {
        call.reply.fail(Error(ErrorKind::forbidden, "a person's key makes groups of that person")
                            .with_code("operators_only")
                            .with_param("owner"));
        return;
    }
    wanted.group.id = GroupId(call.object_id);
    const groups::Actor owner{wanted.owner ? wanted.owner : call.person()};
    JZ_ANSWER_TRY(const Group made, call.reply, call.parts().groups.create_group(std::move(wanted.group), owner));
    call.reply.json(201, group_json(made));
}

void list_groups(Call&& call) {
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    if (call.is_operator()) {
        read_and_answer(std::move(call), [page](registry::Session& session) -> Result<std::string> {
            JZ_TRY(const auto groups, registry::list_groups(session, page));
            return list_json(groups.data, groups.has_more, group_json);
        });
        return;
    }
    std::vector<GroupId> ids;
    for (const Member* member : call.parts().groups.memberships_of(call.person())) ids.push_back(member->group);
    read_and_answer(std::move(call), [page, ids](registry::Session& session) -> Result<std::string> {
        std::vector<Group> groups;
        for (const GroupId id : ids) {
            JZ_TRY(Group group, registry::get_group(session, id));
            groups.push_back(std::move(group));
        }
        newest_first(groups);
        JZ_TRY(const auto listing, page_of(std::move(groups), page));
        return list_json(listing.data, listing.has_more, group_json);
    });
}

void get_group(Call&& call) {
    JZ_ANSWER_TRY(const GroupId id, call.reply, call.path_id<GroupId>(0, "group"));
    JZ_ANSWER_CHECK(call.reply, may_see_group(call, id));
    read_and_answer(std::move(call), [id](registry::Session& session) -> Result<std::string> {
        JZ_TRY(const Group group, registry::get_group(session, id));
        return group_json(group);
    });
}

void add_member(Call&& call) {
    JZ_ANSWER_TRY(const GroupId id, call.reply, call.path_id<GroupId>(0, "group"));
    JZ_ANSWER_CHECK(call.reply, may_see_group(call, id));
    JZ_ANSWER_TRY(Member member, call.reply, decode_new_member(call.request.body));
    member.id = MemberId(call.object_id);
    member.group = id;
    JZ_ANSWER_TRY(const Member made, call.reply, call.parts().groups.add_member(member, call.actor()));
    call.reply.json(201, member_json(made));
}

void list_members(Call&& call) {
    JZ_ANSWER_TRY(const GroupId id, call.reply, call.path_id<GroupId>(0, "group"));
    JZ_ANSWER_CHECK(call.reply, may_see_group(call, id));
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    read_and_answer(std::move(call), [id, page](registry::Session& session) -> Result<std::string> {
        JZ_CHECK(registry::get_group(session, id));
        registry::MemberFilter filter;
        filter.group = id;
        JZ_TRY(const auto members, registry::list_members(session, filter, page));
        return list_json(members.data, members.has_more, member_json);
    });
}

void remove_member(Call&& call) {
    JZ_ANSWER_TRY(const GroupId group, call.reply, call.path_id<GroupId>(0, "group"));
    JZ_ANSWER_TRY(const MemberId id, call.reply, call.path_id<MemberId>(1, "member"));
    JZ_ANSWER_TRY(const Member* member, call.reply, visible_member(call, id));
    if (member->group != group) {
        call.reply.fail(no_such("member", id.to_string()));
        return;
    }
    JZ_ANSWER_CHECK(call.reply, call.parts().groups.remove_member(id, call.actor()));
    call.reply.json(200, deleted_json("member", id.to_string()));
}

void create_limit(Call&& call) {
    JZ_ANSWER_TRY(Limit limit, call.reply, decode_new_limit(call.request.body));
    JZ_ANSWER_CHECK(call.reply, visible_member(call, limit.member));
    limit.id = LimitId(call.object_id);
    JZ_ANSWER_TRY(const Limit made, call.reply, call.parts().groups.create_limit(std::move(limit), call.actor()));
    call.reply.json(201, limit_json(made));
}

void list_limits(Call&& call) {
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const auto member = query.id<MemberId>("member");
    if (!query.get("member")) query.fail("member", "name the member whose limits are wanted");
    JZ_ANSWER_CHECK(call.reply, query.finish());
    JZ_ANSWER_CHECK(call.reply, visible_member(call, member));
    call.reply.json(200, list_json(call.parts().groups.limits_of(member), false, limit_json));
}

void delete_limit(Call&& call) {
    JZ_ANSWER_TRY(const LimitId id, call.reply, call.path_id<LimitId>(0, "limit"));
    const Limit* limit = call.parts().groups.limit(id);
    if (limit == nullptr || !visible_member(call, limit->member).ok()) {
        call.reply.fail(no_such("limit", id.to_string()));
        return;
    }
    JZ_ANSWER_CHECK(call.reply, call.parts().groups.remove_limit(id, call.actor()));
    call.reply.json(200, deleted_json("limit", id.to_string()));
}

}  // namespace

void add_group_routes(Router& router) {
    router.add({Method::post, "/v1/groups", "groups", "write", Repeat::stored, create_group});
    router.add({Method::get, "/v1/groups", "groups", "read", Repeat::none, list_groups});
    router.add({Method::get, "/v1/groups/{group}", "groups", "read", Repeat::none, get_group});
    router.add({Method::post, "/v1/groups/{group}/members", "groups", "write", Repeat::stored, add_member});
    router.add({Method::get, "/v1/groups/{group}/members", "groups", "read", Repeat::none, list_members});
    router.add({Method::del, "/v1/groups/{group}/members/{member}", "groups", "write", Repeat::none, remove_member});
    router.add({Method::post, "/v1/limits", "limits", "write", Repeat::stored, create_limit});
    router.add({Method::get, "/v1/limits", "limits", "read", Repeat::none, list_limits});
    router.add({Method::del, "/v1/limits/{limit}", "limits", "write", Repeat::none, delete_limit});
}

}  // namespace jiaozi::http
