package io.twinkernel.broker.protocol;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Typed access to the fields of a JSON object; every mismatch names the field. */
public record Fields(Map<String, Object> values) {

  public String text(String name) throws MalformedMessageException {
    if (values.get(name) instanceof String text) {
      return text;
    }
    throw wrong(name, "a string");
  }

  public String text(String name, String otherwise) throws MalformedMessageException {
    return values.containsKey(name) ? text(name) : otherwise;
  }

  public long number(String name) throws MalformedMessageException {
    if (values.get(name) instanceof Long number) {
      return number;
    }
    throw wrong(name, "a whole number");
  }

  /** The number of that name, where there is one. */
  public long number(String name, long otherwise) throws MalformedMessageException {
    return values.containsKey(name) ? number(name) : otherwise;
  }

  public boolean flag(String name) throws MalformedMessageException {
    if (values.get(name) instanceof Boolean flag) {
      return flag;
    }
    throw wrong(name, "true or false");
  }

  /** The truth value of that name, where there is one. */
  public boolean flag(String name, boolean otherwise) throws MalformedMessageException {
    return values.containsKey(name) ? flag(name) : otherwise;
  }

  /** The object of that name, empty where there is none. */
  @SuppressWarnings("unchecked") // Json makes maps with string keys only
  public Fields object(String name) throws MalformedMessageException {
    return switch (values.getOrDefault(name, Map.of())) {
      case Map<?, ?> map -> new Fields((Map<String, Object>) map);
      default -> throw wrong(name, "an object");
    };
  }

  /** The list of strings of that name, empty where there is none. */
  public List<String> texts(String name) throws MalformedMessageException {
    var texts = new ArrayList<String>();
    for (Object item : list(name)) {
      if (!(item instanceof String text)) {
        throw wrong(name, "a list of strings");
      }
      texts.add(text);
    }
    return List.copyOf(texts);
  }

  /** The list of whole numbers of that name, empty where there is none. */
  public List<Integer> numbers(String name) throws MalformedMessageException {
    var numbers = new ArrayList<Integer>();
    for (Object item : list(name)) {
      if (!(item instanceof Long number) || number != number.intValue()) {
        throw wrong(name, "a list of whole numbers");
      }
      numbers.add(number.intValue());
    }
    return List.copyOf(numbers);
  }

  /** The list of objects of that name, empty where there is none. */
  @SuppressWarnings("unchecked") // Json makes maps with string keys only
  public List<Fields> objects(String name) throws MalformedMessageException {
    var objects = new ArrayList<Fields>();
    for (Object item : list(name)) {
      if (!(item instanceof Map<?, ?> map)) {
        throw wrong(name, "a list of objects");
      }
      objects.add(new Fields((Map<String, Object>) map));
    }
    return List.copyOf(objects);
  }

  /** The list of that name, empty where there is none. */
  public List<?> list(String name) throws MalformedMessageException {
    if (values.getOrDefault(name, List.of()) instanceof List<?> list) {
      return list;
    }
    throw wrong(name, "a list");
  }

  private static MalformedMessageException wrong(String name, String expected) {
    return new MalformedMessageException("field '" + name + "' is not " + expected);
  }
}
