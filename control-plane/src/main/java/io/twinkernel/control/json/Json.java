package io.twinkernel.control.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** Records to JSON and back, with names in snake_case. */
public final class Json {
  private static final int DEEPEST = 64;
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(DEEPEST)
                  .maxStringLength(1 << 20)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .build();

  /** Takes only what it knows: for requests and the journal. */
  public static final ObjectMapper STRICT =
      JsonMapper.builder(FACTORY)
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
          .build();

  /** Ignores fields that it does not know, and numbers left out: for brokers of other releases. */
  public static final ObjectMapper TOLERANT =
      STRICT
          .copy()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);

  private Json() {}

  /** One line, without the line feed. */
  public static String write(Object value) {
    try {
      return STRICT.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("no JSON form for " + value.getClass(), e);
    }
  }

  /** As JSON's objects, lists, strings and numbers. */
  public static Map<String, Object> toMap(Object value) {
    Map<?, ?> map = STRICT.convertValue(value, Map.class);
    var typed = new LinkedHashMap<String, Object>();
    map.forEach((key, item) -> typed.put(String.valueOf(key), Objects.requireNonNull(item)));
    return typed;
  }

  /** What is wrong with it, in words for whoever wrote it. */
  public static String complaint(JsonProcessingException e) {
    String field =
        e instanceof JsonMappingException mapping
            ? mapping.getPath().stream()
                .map(step -> step.getFieldName() == null ? "[]" : step.getFieldName())
                .collect(Collectors.joining("."))
            : "";
    Throwable cause = e.getCause();
    return switch (e) {
      case UnrecognizedPropertyException unknown ->
          "there is no field '"
              + unknown.getPropertyName()
              + "'; there are "
              + unknown.getKnownPropertyIds();
      case InvalidFormatException format ->
          "'" + field + "' cannot be '" + format.getValue() + "': " + format.getOriginalMessage();
      case JsonMappingException mapping when cause instanceof IllegalArgumentException ->
          (field.isEmpty() ? "" : "'" + field + "': ") + cause.getMessage();
      case JsonMappingException mapping ->
          (field.isEmpty() ? "" : "'" + field + "': ") + mapping.getOriginalMessage();
      default -> "not JSON: " + e.getOriginalMessage();
    };
  }
}
