package paperboy.connector;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;

/** JSON as the standard has it, and no more. */
final class Json {
    static final Gson GSON = new GsonBuilder()
            .setStrictness(Strictness.STRICT)
            .serializeNulls()
            .disableHtmlEscaping()
            .create();

    private Json() {}

    /** An object, or null: the text is none. */
    static JsonObject read(String text) {
        try {
            JsonElement value = GSON.fromJson(text, JsonElement.class);
            return value instanceof JsonObject ? (JsonObject) value : null;
        } catch (JsonParseException | NumberFormatException error) {
            return null;
        }
    }

    /** A member that is a text, or null. */
    static String text(JsonObject object, String name) {
        JsonElement value = object.get(name);
        boolean isText = value != null
                && value.isJsonPrimitive()
                && value.getAsJsonPrimitive().isString();
        return isText ? value.getAsString() : null;
    }

    /** Whether it is neither missing nor null. */
    static boolean has(JsonObject object, String name) {
        JsonElement value = object.get(name);
        return value != null && !value.isJsonNull();
    }
}
