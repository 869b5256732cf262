#include "openapi.hpp"

#include <jiaozi/base/assert.hpp>

namespace jiaozi::cli {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

class Reader {
  public:
    explicit Reader(const json::value& document) : document_(document) {}

    std::vector<Operation> operations() const {
        std::vector<Operation> all;
        for (const auto& path : document_.at("paths").as_object()) {
            const auto& item = path.value().as_object();
            for (const char* method : {"get", "post", "put", "patch", "delete"}) {
                if (const auto* operation = item.if_contains(method))
                    all.push_back(read(path.key(), method, item, operation->as_object()));
            }
        }
        return all;
    }

  private:
    const json::object& resolve(const json::value& value) const {
        const json::object* object = &value.as_object();
        for (int depth = 0; depth < 8; ++depth) {
            const auto* reference = object->if_contains("$ref");
            if (reference == nullptr) return *object;
            // References are all local: "#/components/…".
            object = &document_.at_pointer(std::string_view(reference->as_string()).substr(1)).as_object();
        }
        JZ_ASSERT(false && "a circle of $refs in the OpenAPI document");
    }

    Operation read(std::string_view path, std::string_view method, const json::object& item,
                   const json::object& source) const {
        Operation operation;
        operation.id = text_of(source, "operationId");
        operation.path = path;
        for (const char c : method) operation.method += static_cast<char>(c - 'a' + 'A');
        operation.summary = text_of(source, "summary");
        operation.details = text_of(source, "description");
        for (const json::object* place : {&item, &source}) {
            if (const auto* parameters = place->if_contains("parameters"))
                add_parameters(operation, parameters->as_array());
        }
        if (const auto* body = source.if_contains("requestBody")) add_body(operation, resolve(*body));
        return operation;
    }

    void add_parameters(Operation& operation, const json::array& parameters) const {
        for (const auto& entry : parameters) {
            const auto& parameter = resolve(entry);
            const std::string in = text_of(parameter, "in");
            if (in == "header") {
                operation.takes_idempotency_key |= text_of(parameter, "name") == "Idempotency-Key";
                continue;
            }
            Field field = describe(text_of(parameter, "name"), parameter.at("schema"));
            field.place = in == "path" ? FieldPlace::path : FieldPlace::query;
            field.required = field.place == FieldPlace::path ||
                             (parameter.contains("required") && parameter.at("required").as_bool());
            if (const std::string help = text_of(parameter, "description"); !help.empty()) field.help = help;
            operation.fields.push_back(std::move(field));
        }
    }

    void add_body(Operation& operation, const json::object& body) const {
        const auto* media = body.at("content").as_object().if_contains("application/json");
        if (media == nullptr) return;
        operation.takes_body = true;
        const auto& schema = resolve(media->at("schema"));
        if (operation.details.empty()) operation.details = text_of(schema, "description");
        add_properties(operation, schema, "");
    }

    void add_properties(Operation& operation, const json::object& schema, const std::string& prefix) const {
        const auto* properties = schema.if_contains("properties");
        if (properties == nullptr) return;
        for (const auto& property : properties->as_object()) {
            const auto& inner = resolve(property.value());
            if (inner.contains("properties")) {
                add_properties(operation, inner, prefix + std::string(property.key()) + ".");
                continue;
            }
            Field field = describe(prefix + std::string(property.key()), property.value());
            if (const auto* required = schema.if_contains("required"); required != nullptr && prefix.empty()) {
                for (const auto& name : required->as_array()) field.required |= name.as_string() == property.key();
            }
            operation.fields.push_back(std::move(field));
        }
    }

    Field describe(std::string name, const json::value& source) const {
        Field field;
        field.name = std::move(name);
        const auto& schema = resolve(source);
        const std::string type = text_of(schema, "type");
        if (type == "integer") field.type = FieldType::integer;
        if (type == "boolean") field.type = FieldType::boolean;
        if (type == "array") {
            field.type =
                text_of(resolve(schema.at("items")), "type") == "string" ? FieldType::text_list : FieldType::json;
        }
        field.help = text_of(source.as_object(), "description");
        if (field.help.empty()) field.help = text_of(schema, "description");
        if (const auto* choices = schema.if_contains("enum")) {
            std::string list;
            for (const auto& choice : choices->as_array()) {
                if (choice.is_string()) list += (list.empty() ? "" : "|") + std::string(choice.get_string());
            }
            field.help = field.help.empty() ? list : field.help + " " + list;
        }
        return field;
    }

    const json::value& document_;
};

}  // namespace

std::vector<Operation> read_operations(const boost::json::value& document) {
    return Reader(document).operations();
}

}  // namespace jiaozi::cli
